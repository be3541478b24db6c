# Another root in the place of the one that was given, and with it what set-id programs and libraries are found there.
# shellcheck shell=bash disable=SC2034

open='unshare --mount'
attack() { exec attack pivot-root; }
not_for='user-open user-run user-join' # a user cannot mount
