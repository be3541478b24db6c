# Sends from an IPv6 address that is not its own, which the kernel lets everybody bind to.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0 --egress=allow'
open="$in_dmz setpriv --reuid=1234 --regid=1234 --clear-groups"
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
}

# A jail has no IPv6 address yet; here its interface is given one, so that it is the policy that is attacked.
launch() { while_inside "$@"; }
outside() {
    [ "$way" != open ] || return 0
    nsenter --target "$(jail list | cut -d: -f1)" --net sh -ec '
        sysctl --quiet --write net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.accept_dad=0
        ip address add fd00:20::66/64 dev eth0 nodad' || exit 3
}

attack() {
    waits
    command attack forge fd00:20::77 fd00:20::99 7777 forged || exit
    stopped 'the neighbour will see from whom it heard'
}

harm() {
    cat /run/neighbour
    grep -q "fd00:20::77: forged" /run/neighbour
}
