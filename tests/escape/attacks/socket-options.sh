# Reaches the firewall, and forges packets, by options of ordinary sockets. CVE-2016-3134, CVE-2021-22555
# shellcheck shell=bash disable=SC2034

user_open='unshare --user --map-root-user --net'

attack() { exec attack socket-options; }
