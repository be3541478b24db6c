# A directory for the state of sandboxes that was made by another user, with links to follow in it.
# CVE-2016-10117
# shellcheck shell=bash disable=SC2034

open=naive
not_for='jail-join user-open user-join firejail bwrap' # a start; these have no such choice

prepare() {
    victim
    mkdir -m 777 /srv/state
    for entry in jails leases addresses locks names; do ln -s /run/victim "/srv/state/$entry"; done
    chown -hR 1234:1234 /srv/state
    ln -s /run/victim /run/naive
}

launch() {
    case $1 in
        jail) may_refuse '/srv/state' jail --state-dir=/srv/state "${@:2}" ;;
        *) "$@" ;;
    esac
}

attack() { stopped 'state was kept elsewhere'; }
harm() { is_harmed; }
