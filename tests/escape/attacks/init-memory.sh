# Takes over a jail's first process, which the host's supervisor talks to. CVE-2016-9962, CVE-2019-5736
# shellcheck shell=bash disable=SC2034

user_open='unshare --user --map-root-user --pid --mount --fork --mount-proc'

attack() { command attack process-memory 1; exit $?; }
