# Lays another filter on top, one that lets everything through, and takes back what made the first one binding.
# shellcheck shell=bash disable=SC2034

# It is about the machine's own, and an ordinary user has nothing to lose there.
not_for='user-open user-run user-join'

attack() { exec attack filter-loosened; }
