# Takes the place of a service of the host's, in a jail that shares the host's network: a port of the privileged ones.
# shellcheck shell=bash disable=SC2034

jail_options=--net=host
bwrap_options=--share-net
# An ordinary user may take none in the open either.
not_for='user-open user-run user-join'

attack() { exec attack bind tcp 0.0.0.0 53; }
