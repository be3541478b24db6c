# A file that no path leads to, by its number on a file system of which some other directory is shown. "Shocker"
# shellcheck shell=bash disable=SC2034

prepare() {
    mkdir -p /srv/hidden
    echo secret >/srv/hidden/file
    command attack by-handle make /srv/hidden/file /srv/attacks/handle
    mount -t tmpfs tmpfs /srv/hidden
}

attack() { exec attack by-handle open /srv/attacks /srv/attacks/handle; }
not_for='user-open user-run user-join' # only the host's root opens by number what another mount covers
