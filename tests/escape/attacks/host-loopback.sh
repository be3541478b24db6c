# Calls what listens on the host's loopback only, for the host alone. CVE-2020-8558
# shellcheck shell=bash

prepare() {
    command attack listen /run/heard tcp 127.0.0.1 7777
    command attack listen /run/heard udp 127.0.0.1 7777
    command attack listen /run/heard tcp ::1 7777
}

attack() {
    attempt command attack call tcp 127.0.0.1 7777
    attempt command attack call udp 127.0.0.1 7777
    attempt command attack call tcp ::1 7777
    verdict
}
