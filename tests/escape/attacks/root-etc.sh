# A root directory whose files in /etc that are made for a sandbox are links to files of the host's.
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --root=/srv/tree'
user_open="$as_root --pid --fork $open"
jail_options='--root=/srv/tree --bind=/srv/attacks --hostname=theirs'
bwrap_options='--bind /srv/tree / --proc /proc --dev /dev --bind /srv/attacks /srv/attacks --hostname theirs'
not_for=firejail # no other root

prepare() {
    victim
    tree
    for file in hostname hosts resolv.conf mtab; do ln -s /run/victim/file "/srv/tree/etc/$file"; done
}

attack() { stopped "/etc/hostname: $(cat /etc/hostname 2>&1)"; }
harm() { is_harmed; }
