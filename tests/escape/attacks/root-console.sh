# A root directory whose /dev/console is a link to a file of the host's: it is made, owned and written. CVE-2025-52565,
# CVE-2026-88264
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --root=/srv/tree'
user_open="$as_root --pid --fork $open"
jail_options='--root=/srv/tree --bind=/srv/attacks'
bwrap_options='--bind /srv/tree / --proc /proc --dev /dev --bind /srv/attacks /srv/attacks'
not_for=firejail # no other root

prepare() {
    victim
    tree
    ln -s /run/victim/console /srv/tree/dev/console
}

attack() {
    said=$( (echo theirs >/dev/console) 2>&1 )
    stopped "/dev/console: $said"
}
harm() { is_harmed; }
