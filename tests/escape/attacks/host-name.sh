# Renames the machine.
# shellcheck shell=bash disable=SC2034

user_open='unshare --user --map-root-user --uts'

attack() { exec attack host-name; }
