# Names of a sandbox's that are paths: what is made for it is made elsewhere.
# shellcheck shell=bash disable=SC2034,SC2154

open='naive OPTION'
user_open="$as_root $open"
jail_options=OPTION
firejail_options=OPTION
bwrap_options=OPTION
not_for='jail-join user-join bwrap' # a start; no such option

prepare() {
    victim
    by_user || return 0
    # Where a user's sandboxes have their state, the same directory.
    mkdir /run/user/1234/victim
    mount --bind /run/victim /run/user/1234/victim
}

launch() {
    local option status=41
    for option in --name=../victim/theirs --name=../../run/victim/theirs --name=/run/victim/theirs --name=.. \
        --runtime-dir=../victim/theirs --runtime-dir=../../run/victim/theirs; do
        case $way:$option in *open:--runtime* | firejail:--runtime*) continue ;; esac
        status=0
        may_refuse 'name' "${@/OPTION/$option}" || status=$?
        [ "$status" = 41 ] || break
    done
    return $status
}

attack() { stopped 'it was a name'; }
harm() { is_harmed; }
