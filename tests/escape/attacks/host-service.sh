# Calls services of the host's, by each of its addresses.
# shellcheck shell=bash disable=SC2034,SC2154

by_user || jail_options=--net=br0 # a bridge is for root; a user's jail has no network
open=$in_dmz
not_for='firejail bwrap' # it is for a bridge

prepare() {
    dmz
    command attack listen /run/heard tcp 0.0.0.0 7777
    command attack listen /run/heard udp 0.0.0.0 7777
}

attack() {
    for address in 10.10.20.1 192.0.2.1 192.168.7.1; do
        attempt command attack call tcp $address 7777
        attempt command attack call udp $address 7777
    done
    verdict
}
