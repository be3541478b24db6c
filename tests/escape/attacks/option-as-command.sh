# A command, or the name of a file in its place, that looks like an option of the sandbox's. CVE-2020-17367, CVE-2024-32462
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --'
user_open="$as_root $open"

prepare() { secret; chmod 755 /run/secret; }

launch() {
    local option=--bind=/run/secret,/tmp/secret
    may_refuse 'not found|No such file|there is no command' "${@:1:$#-3}" "$option" "${@:$#-2}"
}

attack() {
    if is_secret /tmp/secret/file; then exit 0; fi
    stopped 'the option was not read as one'
}
