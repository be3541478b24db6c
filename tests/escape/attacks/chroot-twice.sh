# Out of a sandbox that is a chroot by a second one, below a directory that is held open.
# shellcheck shell=bash disable=SC2034,SC2154

open=naive user_open="$as_root naive"
prepare() { secret; }
attack() { exec attack chroot-twice /run/secret/file; }
