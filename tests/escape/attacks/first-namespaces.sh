# Enters the namespaces of the first process in sight, the host's where its /proc is left in place. CVE-2022-0492
# shellcheck shell=bash disable=SC2034

open='unshare --mount --net --uts --pid --fork'
# Those of another user's processes are closed to everybody but root.
not_for='user-open user-run user-join'

attack() { exec attack first-namespaces; }
