# Restarts the machine, or loads another kernel or more of it.
# shellcheck shell=bash disable=SC2034

# It takes the machine's own root, which an ordinary user is nowhere.
not_for='user-open user-run user-join'

attack() { exec attack machine; }
