# Changes its addresses, links, routes and neighbours.
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
}

attack() {
    attempt ip address add 10.10.20.77/24 dev eth0
    attempt ip link set eth0 mtu 1400
    attempt ip link set eth0 promisc on
    attempt ip link set eth0 address 02:00:00:00:00:99
    attempt ip link add made type veth
    attempt ip route add 192.168.7.0/24 via 10.10.20.1
    attempt ip rule add from 10.10.20.77 table main
    attempt ip neighbour replace 10.10.20.50 lladdr 02:00:00:00:00:99 dev eth0
    attempt sysctl --quiet --write net.ipv4.ip_forward=1
    verdict
}
