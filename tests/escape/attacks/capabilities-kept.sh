# Keeps capabilities of who started it, in the sets that pass them on. CVE-2022-24769, CVE-2022-27650, CVE-2022-29162
# shellcheck shell=bash disable=SC2034

# An ordinary user has none to pass on.
not_for='user-open user-run user-join'

prepare() {
    cp /bin/grep /srv/inherits
    setcap cap_net_raw=ei /srv/inherits
}

launch() { setpriv --inh-caps=+net_raw,+sys_admin --ambient-caps=+net_raw,+sys_admin "$@"; }

attack() {
    grep ^Cap /proc/self/status
    # A program that is handed what is inheritable.
    other=$(setpriv --reuid=1234 --regid=1234 --clear-groups /srv/inherits ^Cap /proc/self/status) ||
        stopped 'it does not run'
    sets=$(echo "$other" | cat - /proc/self/status | sed -n 's/^Cap.*:\t//p')
    for set in $sets; do
        [ $((0x$set & (1 << 13 | 1 << 21))) = 0 ] || exit 0 # net_raw, sys_admin
    done
    stopped 'none of the sets has them'
}
