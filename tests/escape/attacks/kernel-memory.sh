# The machine's memory by a file: /proc/kcore, /dev/mem, /dev/port, or the state of each page: /proc/kpageflags.
# shellcheck shell=bash disable=SC2034

attack() {
    local said
    for file in /proc/kcore /dev/mem /dev/port /proc/kpageflags; do
        said=$(head -c 8 "$file" 2>&1 >/dev/null) && exit 0
    done
    stopped "$said"
}

not_for='user-open user-run user-join' # root's alone to read
