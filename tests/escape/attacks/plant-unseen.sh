# Leaves one there by calls whose arguments lie in memory, where a filter cannot look.
# shellcheck shell=bash disable=SC2034

granted=/srv/granted
jail_options=--grant=$granted:rw
firejail_options=--read-write=$granted
bwrap_options="--bind $granted $granted"

prepare() {
    mkdir $granted
    given $granted
}

attack() { exec attack plant-unseen $granted; }

harm() { find $granted -perm /6000 | grep -q .; }
