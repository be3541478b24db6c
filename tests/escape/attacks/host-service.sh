# Calls services of the host's, by each of its addresses.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

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
