# A directory for the state of sandboxes that was made by another user, with links to follow in it.
# CVE-2016-10117
# shellcheck shell=bash disable=SC2034,SC2154

open=naive
user_open="$as_root $open"
jail_before=--state-dir=/srv/state
not_for='jail-join user-join firejail bwrap' # a start; these have no such choice

prepare() {
    victim
    mkdir -m 777 /srv/state
    for entry in jails leases addresses locks names; do ln -s /run/victim "/srv/state/$entry"; done
    chown -hR 4321:4321 /srv/state
    local naive=/run/naive
    ! by_user || naive=/run/user/1234/naive
    ln -s /run/victim $naive
}

launch() { may_refuse '/srv/state' "$@"; }

attack() { stopped 'state was kept elsewhere'; }
harm() { is_harmed; }
