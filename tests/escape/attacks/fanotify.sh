# Sees and holds whatever is opened on a file system of the host's.
# shellcheck shell=bash disable=SC2034

# It takes the machine's own root to hold what others open.
not_for='user-open user-run user-join'

attack() { exec attack fanotify; }
