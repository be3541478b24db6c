# A disk that the host mounts later, seen inside: the host's mounts must not propagate.
# shellcheck shell=bash disable=SC2034,SC2154

open='unshare --mount --propagation slave'
user_open="$as_root ${open#unshare}"

prepare() {
    mkdir -p /srv/disk
    mount --bind /srv /srv
    mount --make-shared /srv
}

launch() { while_inside "$@"; }
outside() {
    mount -t tmpfs tmpfs /srv/disk
    echo secret >/srv/disk/file
}

attack() {
    waits
    if is_secret /srv/disk/file; then exit 0; fi
    stopped "/srv/disk: $(echo /srv/disk/*)"
}
