# A root directory whose /dev/null is a link to a file of the host's: what is hidden behind it shows that file, and what
# goes there is written to it. CVE-2025-31133
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --root=/srv/tree'
user_open="$as_root --pid --fork $open"
jail_options='--root=/srv/tree --bind=/srv/attacks'
bwrap_options='--bind /srv/tree / --proc /proc --dev /dev --bind /srv/attacks /srv/attacks'
not_for=firejail # no other root

prepare() {
    victim
    tree
    ln -s /run/victim/null /srv/tree/dev/null
}

attack() {
    echo theirs >/dev/null
    if [ "$(cat /proc/keys 2>/dev/null)" = theirs ]; then exit 0; fi
    stopped "/dev/null is $(stat -c %F /dev/null)"
}
harm() { is_harmed; }
