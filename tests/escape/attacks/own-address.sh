# Changes its addresses, links, routes and neighbours.
# shellcheck shell=bash disable=SC2034,SC2154

open=$in_dmz user_open="$as_root --net"
link=lo # of a user's
by_user || jail_options=--net=br0 link=eth0
not_for='firejail bwrap' # it is for a bridge

prepare() {
    dmz
}

attack() {
    attempt ip address add 10.10.20.77/24 dev $link
    attempt ip link set $link up
    attempt ip link set $link mtu 1400
    attempt ip link set $link promisc on
    attempt ip link set $link address 02:00:00:00:00:99
    attempt ip link add made type veth
    attempt ip route add 192.168.7.0/24 via 10.10.20.1 dev $link
    attempt ip rule add from 10.10.20.77 table main
    attempt ip neighbour replace 10.10.20.50 lladdr 02:00:00:00:00:99 dev $link
    attempt sysctl --quiet --write net.ipv4.ip_forward=1
    verdict
}
