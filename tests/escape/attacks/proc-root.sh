# Another process by /proc/PID/root and /proc/PID/cwd, which lead to wherever that one is.
# shellcheck shell=bash disable=SC2034,SC2154

open=naive user_open="$as_root timeout 60 naive" # a process of the same user namespace, with the host's root
prepare() { secret; }

attack() {
    for link in /proc/[0-9]*/{root,cwd}; do
        if is_secret "$link/run/secret/file" || is_secret "$link/file"; then exit 0; fi
    done
    stopped "none of $(echo /proc/[0-9]*) leads to it; pid 1: $(ls -d /proc/1/root/ 2>&1)"
}
