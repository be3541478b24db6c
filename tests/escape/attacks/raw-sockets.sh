# Sends packets with any header.
# shellcheck shell=bash disable=SC2034,SC2154

user_open="$as_root --net"

attack() { exec attack raw-sockets; }
