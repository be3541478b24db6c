# Out of a sandbox that is a chroot by a second one, below a directory that is held open.
# shellcheck shell=bash disable=SC2034

open=naive
prepare() { secret; }
attack() { exec attack chroot-twice /run/secret/file; }
not_for='user-open user-run user-join' # a user has no chroot
