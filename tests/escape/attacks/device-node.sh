# A device is reached by any node of its number, whatever its name and place.
# shellcheck shell=bash disable=SC2034

# Nobody but the machine's root may make one.
not_for='user-open user-run user-join'

attack() { exec attack device-node /run; }
