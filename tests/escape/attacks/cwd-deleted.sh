# The same from a directory that was removed: its path is none, and who trusts getcwd goes by none.
# shellcheck shell=bash

prepare() { secret; chmod 755 /run/secret; }

launch() {
    mkdir -p /run/secret/below
    cd /run/secret/below || return 3
    rmdir /run/secret/below
    "$@"
}

attack() {
    [ "$(stat -Lc %h /proc/self/cwd)" != 0 ] || exit 0
    stopped "the working directory is $(readlink /proc/self/cwd)"
}
