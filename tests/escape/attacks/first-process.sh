# The sandbox's first process, traced or its memory written: what it may and has open is more than others have.
# shellcheck shell=bash disable=SC2034,SC2154

user_open="$as_root --pid --fork --mount-proc timeout 60"

attack() { exec attack first-process; }
