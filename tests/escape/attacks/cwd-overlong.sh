# The same from so deep that its path is longer than any path may be, and is told as "(unreachable)" or not at all.
# CVE-2018-1000001
# shellcheck shell=bash

prepare() { secret; chmod 755 /run/secret; }

launch() {
    cd /run/secret || return 3
    local part
    part=$(printf 'd%.0s' {1..250})
    for _ in {1..20}; do
        mkdir "$part" && cd "$part" || return 3
    done
    echo secret >file
    "$@"
}

attack() {
    is_secret file && exit 0
    stopped "the working directory is $(readlink /proc/self/cwd)"
}
