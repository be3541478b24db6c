# Sends from an address of a neighbour's.
# shellcheck shell=bash disable=SC2034

# A jail that was given raw sockets, by every option that takes, so that the bridge is what is attacked.
jail_options='--net=br0 --userns=host --caps.keep=net_raw --seccomp=none --egress=allow'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
}

attack() {
    command attack frame address eth0 10.10.20.1 || exit
    stopped 'the host will see what came of it'
}

harm() {
    cat /run/neighbour
    grep -q own /run/neighbour || { echo "broken: nor does it from its own" >&2; exit 3; }
    grep -q forged /run/neighbour
}
