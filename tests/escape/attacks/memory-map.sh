# Rewrites what /proc says of a process, which tools of the host's believe.
# shellcheck shell=bash disable=SC2034

# It is about the machine's own, and an ordinary user has nothing to lose there.
not_for='user-open user-run user-join'

attack() { exec attack memory-map; }
