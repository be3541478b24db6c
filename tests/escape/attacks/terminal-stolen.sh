# Takes the terminal from the session it was started in, whose keys are then the attacker's.
# shellcheck shell=bash disable=SC2034

# Only the machine's root may take one.
not_for='user-open user-run user-join'

launch() { /srv/attacks/attack outer-terminal /run/typed "$@"; }

attack() { exec attack terminal-stolen; }
