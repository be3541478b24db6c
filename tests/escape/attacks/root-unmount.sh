# The host's root below that of a sandbox which was moved on top of it, not exchanged for it (runc --no-pivot).
# shellcheck shell=bash disable=SC2034

open='naive --umount'
prepare() { secret; }
attack() { exec attack root-unmount /run/secret/file; }
not_for='user-open user-run user-join' # a user cannot unmount
