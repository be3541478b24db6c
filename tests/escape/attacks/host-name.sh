# Renames the machine.
# shellcheck shell=bash disable=SC2034,SC2154

user_open="$as_root --uts"

attack() { exec attack host-name; }
