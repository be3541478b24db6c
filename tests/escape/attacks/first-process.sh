# The sandbox's first process, traced or its memory written: what it may and has open is more than others have.
# shellcheck shell=bash disable=SC2034

attack() { exec attack first-process; }
not_for='user-open user-run user-join' # a user has no process that is the first
