# Another root in the place of the one that was given, and with it what set-id programs and libraries are found there.
# shellcheck shell=bash disable=SC2034,SC2154

open='unshare --mount' user_open="$as_root --mount"
attack() { exec attack pivot-root; }
