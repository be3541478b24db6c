# User ids that do not fit, and are root's when they are cut to size, or leave who asks what it was: -1 is "as before".
# shellcheck shell=bash disable=SC2034

open='attack as ID'
jail_options=--user=ID
bwrap_options='--unshare-user --uid ID'
not_for='firejail user-open user-run user-join jail-join' # these run as who starts them; a start

launch() {
    local id status=41
    for id in 4294967295 4294967296 -1 18446744073709551616 0x0 1e0 '' ' 0'; do
        status=0
        case $id in '' | ' 0') [[ "$*" == *jail* ]] || continue ;; esac
        may_refuse "user|uid" "${@/ID/$id}" || status=$?
        [ "$status" = 41 ] || break
    done
    return $status
}

attack() {
    [ "$(id -u)" != 0 ] || exit 0
    stopped "$(id)"
}
