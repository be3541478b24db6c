# Names and arguments that a shell would act on, given to one who puts its command line together as text.
# CVE-2020-17368, CVE-2017-5207
# shellcheck shell=bash disable=SC2016,SC2034

open='naive --name=$(>/run/harmed)'
jail_options='--name=$(>/run/harmed) --hostname=$(>/run/harmed)'
firejail_options='--name=$(>/run/harmed) --hostname=$(>/run/harmed)'
bwrap_options='--hostname $(>/run/harmed)'
not_for='jail-join user-join user-open' # a start; a user cannot mount

launch() {
    local status=0
    may_refuse 'a name is|name' "$@" '$(>/run/harmed)' ';>/run/harmed' || status=$?
    [ "$status" = 41 ] || return $status
    # Without the names, what the words are.
    local words=()
    for word in "$@"; do [[ $word == --*name=* ]] || words+=("$word"); done
    "${words[@]}" '$(>/run/harmed)' ';>/run/harmed'
}

attack() { stopped 'the words were words'; }
harm() { [ -e /run/harmed ]; }
