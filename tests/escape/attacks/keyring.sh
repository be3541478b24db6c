# Reads the keys of the session it was started in, which belong to no namespace. CVE-2016-0728
# shellcheck shell=bash

launch() {
    # shellcheck disable=SC2016
    keyctl session attacked bash -c '/srv/attacks/attack key make && "$@"' bash "$@"
}

attack() { exec attack key; }
