# Takes over a neighbour's IPv6 address by a neighbour advertisement, for what the host sends there.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options=--net=br0
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
    ip neighbour replace fd00:20::99 lladdr 02:00:00:00:00:c8 nud reachable dev br0
}

# What the jail's root is refused to send is sent for it, as if that wall had fallen: the bridge is another.
launch() { while_inside "$@"; }
outside() { frame_of_jail neighbour; }

attack() {
    local status=0
    command attack frame neighbour eth0 10.10.20.1 || status=$?
    waits
    [ $status = 0 ] || exit $status
    stopped 'the host will see what came of it'
}

harm() {
    ip neighbour
    ! ip neighbour show fd00:20::99 | grep -q 02:00:00:00:00:c8
}
