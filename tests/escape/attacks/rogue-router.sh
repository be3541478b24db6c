# Makes itself everybody's router by an IPv6 router advertisement. CVE-2020-10749, CVE-2020-13401, CVE-2020-13597
# shellcheck shell=bash disable=SC2034

# A jail that was given raw sockets, by every option that takes, so that the bridge is what is attacked.
jail_options='--net=br0 --userns=host --caps.keep=net_raw --seccomp=none'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
    [ "$way" != open ] || sysctl --quiet --write net.ipv6.conf.br0.accept_ra=2
}

attack() {
    command attack frame router eth0 10.10.20.1 || exit
    stopped 'the host will see what came of it'
}

harm() {
    ip -6 route
    ip -6 route | grep -q "proto ra"
}
