# Names and arguments that a shell would act on, given to one who puts its command line together as text.
# CVE-2020-17368, CVE-2017-5207
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

open='naive --name=$(>/run/harm/done)'
user_open="$as_root $open"
jail_options='--name=$(>/run/harm/done) --hostname=$(>/run/harm/done)'
firejail_options='--name=$(>/run/harm/done) --hostname=$(>/run/harm/done)'
bwrap_options='--hostname $(>/run/harm/done)'
not_for='jail-join user-join' # a start

prepare() { mkdir -m 777 /run/harm; }

launch() {
    local status=0
    may_refuse 'a name is|name' "$@" '$(>/run/harm/done)' ';>/run/harm/done' || status=$?
    [ "$status" = 41 ] || return $status
    # Without the names, what the words are.
    local words=()
    for word in "$@"; do [[ $word == --*name=* ]] || words+=("$word"); done
    "${words[@]}" '$(>/run/harm/done)' ';>/run/harm/done'
}

attack() { stopped 'the words were words'; }
harm() { [ -e /run/harm/done ]; }
