# Sends from an IPv6 address that is not its own, which the kernel lets everybody bind to.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0 --egress=allow'
open="$in_dmz setpriv --reuid=1234 --regid=1234 --clear-groups"
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
}

attack() {
    command attack forge fd00:20::77 fd00:20::99 7777 forged || exit
    stopped "the neighbour will see from whom it heard"
}

harm() {
    cat /run/neighbour
    grep -q "fd00:20::77: forged" /run/neighbour
}
