# Calls machines of the LAN and of the Internet: by TCP, UDP and ping.
# shellcheck shell=bash disable=SC2034,SC2154

by_user || jail_options=--net=br0 # a bridge is for root; a user's jail has no network
open=$in_dmz
not_for='firejail bwrap' # it is for a bridge

prepare() {
    dmz
    sysctl --quiet --write net.ipv4.ip_forward=1 net.ipv4.ping_group_range='0 2147483647'
    ip -netns client route add 10.10.20.0/24 via 192.0.2.1
    for machine in lan client; do
        ip netns exec $machine "$there/attack" listen /run/heard tcp 0.0.0.0 7777
        ip netns exec $machine "$there/attack" listen /run/heard udp 0.0.0.0 7777
    done
}

attack() {
    for address in 192.168.7.2 198.51.100.1; do
        attempt command attack call tcp $address 7777
        attempt command attack call udp $address 7777
        attempt command attack ping $address
    done
    verdict
}
