# Names of a sandbox's that are paths: what is made for it is made elsewhere.
# shellcheck shell=bash disable=SC2034,SC2154

open='naive OPTION'
jail_options=OPTION
firejail_options=OPTION
bwrap_options=OPTION
not_for='jail-join user-join user-open bwrap' # a start; a user makes nothing there; no such option

prepare() { victim; }

launch() {
    local option status=41
    for option in --name=../victim/theirs --name=../../run/victim/theirs --name=/run/victim/theirs --name=.. \
        --runtime-dir=../victim/theirs --runtime-dir=../../run/victim/theirs; do
        case $way:$option in open:--runtime* | firejail:--runtime*) continue ;; esac
        status=0
        may_refuse 'name' "${@/OPTION/$option}" || status=$?
        [ "$status" = 41 ] || break
    done
    return $status
}

attack() { stopped 'it was a name'; }
harm() { is_harmed; }
