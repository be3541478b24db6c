# A mount made inside that the host sees: it would cover the host's own files.
# shellcheck shell=bash disable=SC2034

open='unshare --mount --propagation unchanged'

prepare() {
    mkdir -p /srv/disk
    echo mine >/srv/disk/file
    mount --bind /srv /srv
    mount --make-shared /srv
}

attack() {
    stopped "$(mount -t tmpfs tmpfs /srv/disk 2>&1 || unshare --mount mount -t tmpfs tmpfs /srv/disk 2>&1)"
}

harm() { [ ! -e /srv/disk/file ]; }

not_for='user-open user-run user-join' # no mount of a user's leaves its own mount namespace
