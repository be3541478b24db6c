# Processes that look like a sandbox, for root to enter: root is then in a tree of the attacker's making, with all its
# rights. CVE-2022-31214
# shellcheck shell=bash disable=SC2034

open='nsenter --mount --target attacked --'
# About joining, by root, who has more than what it enters; bwrap cannot, Firejail does it by pid below.
not_for='jail-run user-open user-run user-join firejail bwrap'

launch() {
    coproc forger {
        exec setpriv --reuid=1234 --regid=1234 --clear-groups unshare --user --map-root-user --mount --pid --fork --kill-child \
            bash -c 'mount -t tmpfs tmpfs /tmp && touch /tmp/forged && echo forged && exec -a jail sleep inf'
    }
    local outer=$! inner status=0
    read -r _ <&"${forger[0]}"
    read -r inner _ <"/proc/$outer/task/$outer/children"
    may_refuse "no process $inner is in a jail" "${@/attacked/$inner}" || status=$?
    kill -KILL "$outer" # unshare heeds no other
    return $status
}

attack() {
    [ ! -e /tmp/forged ] || exit 0
    stopped 'this is not what was forged'
}
