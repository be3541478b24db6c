# Asks the service of a cloud that hands out the keys of its machines, where all beyond the host is open by name.
# shellcheck shell=bash disable=SC2034,SC2154

by_user || jail_options='--net=br0 --egress=allow' # a bridge is for root; a user's jail has no network
open=$in_dmz
not_for='firejail bwrap' # it is for a bridge

prepare() {
    dmz
    sysctl --quiet --write net.ipv4.ip_forward=1
    ip -netns client address add 169.254.169.254/32 dev lo
    ip -netns client route add 10.10.20.0/24 via 192.0.2.1
    ip netns exec client "$there/attack" listen /run/heard tcp 169.254.169.254 80
}

attack() {
    attempt command attack call tcp 169.254.169.254 80
    verdict
}
