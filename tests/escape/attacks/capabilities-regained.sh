# Takes a capability back: by asking, by being root again, by the ways from one set to another.
# shellcheck shell=bash disable=SC2034

# A user's own namespace has one user, who cannot become another and come back.
not_for='user-open user-run user-join'

attack() { exec attack regain; }
