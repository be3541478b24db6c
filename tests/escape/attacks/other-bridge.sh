# Calls a machine on another bridge, from a jail that everything beyond the host is open to.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0 --egress=allow'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
    sysctl --quiet --write net.ipv4.ip_forward=1
    jail --quiet net create other --subnet=10.10.30.0/24 --bridge=br1
    jail --quiet run -d --name=other --net=br1 --ip=10.10.30.10 -- sleep inf >/dev/null
    for kind in tcp udp; do jail join other -- "$there/attack" listen /run/heard $kind 0.0.0.0 7777; done
    [ "$way" != open ] || nft flush ruleset # as a network is that has no policy
}

attack() {
    attempt command attack call tcp 10.10.30.10 7777
    attempt command attack call udp 10.10.30.10 7777
    attempt command attack ping 10.10.30.10
    verdict
}
