# Answers machines on its bridge that ask for an address, before the server does that should.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
    ip netns exec neighbour "$there/attack" listen /run/offered udp 0.0.0.0 68
}

attack() {
    command attack call-from udp 67 255.255.255.255 68 || true
    command attack call-from udp 67 10.10.20.99 68 || true
    stopped "the neighbour will see what it heard"
}

harm() {
    cat /run/offered
    grep -q hello /run/offered
}
