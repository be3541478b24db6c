# The host's root below that of a sandbox which was moved on top of it, not exchanged for it (runc --no-pivot).
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --umount'
user_open="$as_root $open"
prepare() { secret; }
attack() { exec attack root-unmount /run/secret/file; }
