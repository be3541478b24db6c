# Starts processes without end.
# shellcheck shell=bash disable=SC2034

# The limit counts a user's processes, and a jail's users are its own. What all of them have together is for cgroups.
jail_options=--rlimit-nproc=50

attack() { exec attack fork-bomb; }
