# Sees and sends every frame of a link. CVE-2016-8655, CVE-2020-14386
# shellcheck shell=bash disable=SC2034,SC2154

user_open="$as_root --net"

attack() { exec attack packet-sockets; }
