# A program in a directory nothing may be executed in, by way of the one that loads programs.
# shellcheck shell=bash disable=SC2034

jail_options='--grant=/srv/data:rw --noexec=/srv/data'
firejail_options='--read-write=/srv/data --noexec=/srv/data'
not_for=bwrap # has no such mounts

prepare() { mkdir -m 777 /srv/data; }

attack() {
    cp /usr/bin/true /srv/data/program || exit 3
    said=$(/srv/data/program 2>&1) && exit 0
    for loader in /lib64/ld-*.so.* /lib/ld-*.so.*; do
        [ ! -e "$loader" ] || ! said+=" $("$loader" /srv/data/program 2>&1)" || exit 0
    done
    stopped "$said"
}
