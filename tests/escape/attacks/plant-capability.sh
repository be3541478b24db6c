# Leaves a program with capabilities in a directory of the host's.
# shellcheck shell=bash disable=SC2034,SC2154

granted=/srv/granted
jail_options=--grant=$granted:rw
firejail_options=--read-write=$granted
bwrap_options="--bind $granted $granted"
# Its capabilities count where that is root.
user_open=$as_root

prepare() {
    mkdir $granted
    given $granted
}

attack() { exec attack plant-capability $granted; }

harm() { getcap -r $granted | grep -q .; }
