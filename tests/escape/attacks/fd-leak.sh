# A directory of the host's that was left open leads out of the sandbox. CVE-2024-21626
# shellcheck shell=bash disable=SC2034

prepare() {
    home=/root
    ! by_user || home=/home/user
    mkdir -p $home/secret
    echo secret >$home/secret/file
    given $home/secret
}

launch() {
    exec 7<"$home" 9<"$home/secret/file"
    "$@"
}

attack() {
    for number in {3..255}; do
        [ ! -e "/proc/self/fd/$number/secret/file" ] || exit 0
    done
    stopped "only these are open: $(echo /proc/self/fd/*)"
}
