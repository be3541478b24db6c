# A file that others may not read, by a second name in a directory that was granted: the mount below which it is
# hidden does not know that name.
# shellcheck shell=bash disable=SC2034

jail_options='--grant=/srv/data:rw --blacklist=/srv/data/private'
firejail_options='--read-write=/srv/data --blacklist=/srv/data/private'
bwrap_options='--bind /srv/data /srv/data --tmpfs /srv/data/private'

prepare() {
    mkdir -p /srv/data/private
    chmod 777 /srv/data
    echo secret >/srv/data/private/file
    given /srv/data
}

attack() {
    said=$(
        ln /srv/data/private/file /srv/data/file 2>&1
        ln /srv/attacks/lib.sh /srv/data/lib.sh 2>&1
        mv /srv/data/private /srv/data/moved 2>&1
    )
    for file in /srv/data/{private,moved,.}/file; do
        is_secret "$file" && exit 0
    done
    stopped "$said"
}

harm() { [ -e /srv/data/lib.sh ]; }
