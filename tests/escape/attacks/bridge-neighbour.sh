# Calls a machine on its bridge that is no jail: behind an uplink, a virtual machine.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
    ip netns exec neighbour "$there/attack" listen /run/neighbour tcp 10.10.20.99 7777
}

attack() {
    attempt command attack call udp 10.10.20.99 7777
    attempt command attack call tcp 10.10.20.99 7777
    attempt command attack ping 10.10.20.99
    verdict
}
