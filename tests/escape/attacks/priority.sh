# Takes precedence over the host's processes: on the processor, on the disk, and when memory is short.
# shellcheck shell=bash disable=SC2034

# An ordinary user may not in the open either.
not_for='user-open user-run user-join'

attack() { exec attack priority; }
