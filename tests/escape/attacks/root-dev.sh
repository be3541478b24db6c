# A root directory whose /dev is a link to a directory of the host's: nodes are made there. CVE-2026-41579, CVE-2026-47766
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --root=/srv/tree'
user_open="$as_root --pid --fork $open"
jail_options='--root=/srv/tree --bind=/srv/attacks'
bwrap_options='--bind /srv/tree / --proc /proc --dev /dev --bind /srv/attacks /srv/attacks'
not_for=firejail # no other root

prepare() {
    victim
    tree
    rmdir /srv/tree/dev
    ln -s /run/victim /srv/tree/dev
}

launch() { may_refuse "bwrap: Can't mount" "$@"; }
attack() { stopped "/dev is $(stat -c %F /dev) with $(echo /dev/*)"; }
harm() { is_harmed; }
