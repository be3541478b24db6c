# `..` out of a directory that was granted, when one outside moves the working directory out of it. CVE-2015-2925
# shellcheck shell=bash disable=SC2034

jail_options=--grant=/srv/data/granted:rw
firejail_options=--read-write=/srv/data/granted
bwrap_options='--tmpfs /srv/data --bind /srv/data/granted /srv/data/granted'

prepare() {
    mkdir -p /srv/data/granted/a/b/c
    chmod -R 777 /srv/data
    secret
    mkdir -m 700 /srv/data/other
    echo secret >/srv/data/other/file
    chmod 644 /srv/data/other/file
    given /srv/data
}

launch() { while_inside "$@"; }
outside() { mv /srv/data/granted/a/b /srv/data/other/b; }

attack() {
    cd /srv/data/granted/a/b/c || exit 3
    waits
    if is_secret ../../file; then exit 0; fi
    stopped "$(cat ../../file 2>&1)"
}
