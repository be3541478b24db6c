# A root directory whose /dev/null is a link to a file of the host's, when the input is opened anew from it: the file is
# open inside, or changes its owner. CVE-2026-88265
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --root=/srv/tree'
user_open="$as_root --pid --fork $open"
jail_options='--root=/srv/tree --bind=/srv/attacks'
bwrap_options='--bind /srv/tree / --proc /proc --dev /dev --bind /srv/attacks /srv/attacks'
not_for=firejail # no other root

prepare() {
    secret
    tree
    ln -s /run/secret/file /srv/tree/dev/null
    owner=4321
    ! by_user || owner=1234
    chown $owner /run/secret/file
}

launch() { "$@" </dev/null; }

attack() {
    if is_secret /dev/stdin; then exit 0; fi
    stopped "input is $(readlink /proc/self/fd/0), $(stat -Lc %F /proc/self/fd/0)"
}
harm() { [ "$(stat -c %u /run/secret/file)" != "$owner" ]; }
