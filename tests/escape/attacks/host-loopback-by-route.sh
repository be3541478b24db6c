# Sends to the host's loopback by the link that leads there, which a published port may have opened. CVE-2020-8558
# shellcheck shell=bash disable=SC2034,SC2154

jail_options='--net=br0 --publish=127.0.0.1:8080:80'
open=$in_dmz
# It is for a bridge, which only root's jails are on.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    dmz
    sysctl --quiet --write net.ipv4.conf.br0.route_localnet=1
    command attack listen /run/heard udp 127.0.0.1 7777
}

attack() {
    command attack call-by-link eth0 127.0.0.1 7777 || true
    stopped "the host will see what it heard"
}

harm() {
    cat /run/heard
    grep -q hello /run/heard
}
