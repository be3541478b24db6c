# A mount below a tree that is shown read-only, forgotten when that was made so. nsjail#125
# shellcheck shell=bash

prepare() {
    mkdir -p /srv/data/below
    mount -t tmpfs -o mode=1777 tmpfs /srv/data/below
}

attack() {
    [ -d /srv/data/below ] && grep -q ' /srv/data/below ' /proc/self/mountinfo || exit 3
    touch /srv/data/below/written
    stopped "$(touch /srv/data/below/written 2>&1)"
}

harm() { [ -e /srv/data/below/written ]; }
