# Takes over a neighbour's IPv6 address by a neighbour advertisement, for what the host sends there.
# shellcheck shell=bash disable=SC2034

# A jail that was given raw sockets, by every option that takes, so that the bridge is what is attacked.
jail_options='--net=br0 --userns=host --caps.keep=net_raw --seccomp=none'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
    ip neighbour replace fd00:20::99 lladdr 02:00:00:00:00:c8 nud reachable dev br0
}

attack() {
    command attack frame neighbour eth0 10.10.20.1 || exit
    stopped 'the host will see what came of it'
}

harm() {
    ip neighbour
    ! ip neighbour show fd00:20::99 | grep -q 02:00:00:00:00:c8
}
