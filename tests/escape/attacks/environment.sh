# The environment of whoever starts a sandbox: it tells secrets, and makes what runs inside do what it names. CVE-2016-10122
# shellcheck shell=bash disable=SC2034

prepare() { echo 'sourced=1' >/srv/attacks/sourced; }

launch() { env PASSWORD=secret BASH_ENV=/srv/attacks/sourced "$@"; }

attack() {
    [ -z "${sourced-}" ] || exit 0
    if tr '\0' '\n' </proc/self/environ | grep -q PASSWORD; then exit 0; fi
    grep -qsz PASSWORD /proc/[0-9]*/environ && exit 0
    stopped "of the environment there is only $(env | cut -d= -f1 | xargs)"
}
