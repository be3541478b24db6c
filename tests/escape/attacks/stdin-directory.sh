# A directory of the host's that was given as input leads out of the sandbox like any other that is open. CVE-2024-21626
# shellcheck shell=bash

prepare() { secret; chmod 755 /run/secret; }

launch() { "$@" </run/secret; }

attack() {
    for path in file ../secret/file; do
        if is_secret "/proc/self/fd/0/$path"; then exit 0; fi
    done
    stopped "input is $(readlink /proc/self/fd/0)"
}
