# A directory of the host's that another process in the sandbox has open: its first one, or one that passes things on.
# shellcheck shell=bash disable=SC2034

user_open='timeout 60' # what has it open must be the user's

prepare() { secret; }

launch() {
    exec 7</run/secret
    "$@"
}

attack() {
    exec 7<&-
    for descriptor in /proc/[0-9]*/fd/*; do
        if is_secret "$descriptor/file"; then exit 0; fi
    done
    stopped "of these none leads to it: $(ls -ld /proc/[0-9]*/fd 2>&1)"
}
