# A tree that is read-only, remounted for writing by whoever is root inside.
# shellcheck shell=bash disable=SC2034

prepare() {
    mkdir -p /srv/data
    chmod 777 /srv/data
    mount --bind /srv/data /srv/data
    mount -o remount,bind,ro /srv/data
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

not_for='user-open user-run user-join' # a user cannot mount
