# Reaches the firewall, and forges packets, by options of ordinary sockets. CVE-2016-3134, CVE-2021-22555
# shellcheck shell=bash disable=SC2034,SC2154

user_open="$as_root --net"

attack() { exec attack socket-options; }
