# Uses a group that whoever started it was a member of. CVE-2022-2989, CVE-2022-2990, CVE-2022-2995
# shellcheck shell=bash disable=SC2034

open='setpriv --reuid=1234 --regid=1234 --keep-groups'
# An ordinary user can give no group up.
not_for='user-open user-run user-join'

prepare() {
    echo secret >/srv/of-a-group
    chown 0:4242 /srv/of-a-group
    chmod 640 /srv/of-a-group
}

launch() { setpriv --groups=4242 "$@"; }

attack() {
    grep ^Groups: /proc/self/status
    cat /srv/of-a-group || stopped 'it is no member'
}
