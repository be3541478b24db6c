# Sends packets with any header.
# shellcheck shell=bash disable=SC2034

user_open='unshare --user --map-root-user --net'

attack() { exec attack raw-sockets; }
