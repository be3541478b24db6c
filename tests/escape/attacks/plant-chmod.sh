# Leaves a set-user-id program, of root's or of the user's, in a directory of the host's, by changing a mode.
# shellcheck shell=bash disable=SC2034

granted=/srv/granted
jail_options=--grant=$granted:rw
firejail_options=--read-write=$granted
bwrap_options="--bind $granted $granted"

prepare() {
    mkdir $granted
    given $granted
}

attack() { exec attack plant-chmod $granted; }

harm() { find $granted -perm /6000 | grep -q .; }
