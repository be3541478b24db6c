# Leaves one there by calls whose arguments lie in memory, where a filter cannot look.
# shellcheck shell=bash disable=SC2034

granted=/srv/granted
jail_options=--grant=$granted:rw
firejail_options=--read-write=$granted
bwrap_options="--bind $granted $granted"
# It is one of root's that is planted, and a user's programs are the user's own in any case.
not_for='user-open user-run user-join'

prepare() { mkdir $granted; }

attack() { exec attack plant-unseen $granted; }

harm() { find $granted -perm /6000 | grep -q .; }
