# The directory a sandbox is started from, kept as the working directory though it is not shown. CVE-2024-21626, firejail#4780
# shellcheck shell=bash

prepare() { secret; chmod 755 /run/secret; }

launch() {
    cd /run/secret || return 3
    "$@"
}

attack() {
    if is_secret file || is_secret /proc/self/cwd/file || is_secret ../secret/file; then exit 0; fi
    stopped "the working directory is $(readlink /proc/self/cwd)"
}
