# Rewrites what /proc says of a process, which tools of the host's believe.
# shellcheck shell=bash disable=SC2034

attack() { exec attack memory-map; }
