# Sends from an address of a neighbour's.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0 --egress=allow'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
}

# What the jail's root is refused to send is sent for it, as if that wall had fallen: the bridge is another.
launch() { while_inside "$@"; }
outside() { frame_of_jail address; }

attack() {
    local status=0
    command attack frame address eth0 10.10.20.1 || status=$?
    waits
    [ $status = 0 ] || exit $status
    stopped 'the host will see what came of it'
}

harm() {
    cat /run/neighbour
    grep -q own /run/neighbour || { echo "broken: nor does it from its own" >&2; exit 3; }
    grep -q forged /run/neighbour
}
