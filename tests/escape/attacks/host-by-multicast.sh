# Calls services of the host's without an address of it: everybody on the link, by IPv4 and IPv6.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
    command attack listen /run/heard udp 0.0.0.0 7777
    command attack listen /run/heard udp :: 7777
}

attack() {
    for address in 10.10.20.255 224.0.0.1; do
        command attack call udp $address 7777 || true
    done
    command attack call udp ff02::1%eth0 7777 || true
    stopped "the host will see what it heard"
}

harm() {
    cat /run/heard
    grep -q hello /run/heard
}
