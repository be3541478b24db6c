# Makes itself everybody's router by an IPv6 router advertisement. CVE-2020-10749, CVE-2020-13401, CVE-2020-13597
# shellcheck shell=bash disable=SC2034,SC2154

jail_options=--net=br0
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
    sysctl --quiet --write net.ipv6.conf.br0.accept_ra=2
}

# What the jail's root is refused to send is sent for it, as if that wall had fallen: the bridge is another.
launch() { while_inside "$@"; }
outside() { frame_of_jail router; }

attack() {
    local status=0
    command attack frame router eth0 10.10.20.1 || status=$?
    waits
    [ $status = 0 ] || exit $status
    stopped 'the host will see what came of it'
}

harm() {
    ip -6 route
    ip -6 route | grep -q "proto ra"
}
