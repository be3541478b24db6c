# A tree that is read-only, remounted for writing by whoever is root inside.
# shellcheck shell=bash disable=SC2034,SC2154

# A user cannot remount what the host has read-only: one's own sandbox does it, to what the host may write.
user_open="$as_root --mount shown"

prepare() {
    mkdir -p /srv/data
    chmod 777 /srv/data
    if by_user; then
        printf '%s\n' '#!/bin/sh' 'mount --bind /srv/data /srv/data' 'mount -o remount,bind,ro /srv/data' \
            'exec "$@"' >/srv/attacks/shown
        chmod +x /srv/attacks/shown
    else
        mount --bind /srv/data /srv/data
        mount -o remount,bind,ro /srv/data
    fi
}

attack() {
    said=$(
        mount -o remount,bind,rw /srv 2>&1
        mount -o remount,bind,rw /srv/data 2>&1
        touch /srv/data/written 2>&1
    )
    stopped "$said"
}

harm() { [ -e /srv/data/written ]; }
