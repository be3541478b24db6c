# Tells a server of the host's, by a socket in a granted directory, that it is the host's root. CVE-2013-1979
# shellcheck shell=bash disable=SC2034

granted=/srv/granted
jail_options=--grant=$granted:rw
firejail_options=--read-write=$granted
bwrap_options="--bind $granted $granted"
# It is root that it pretends to be, which no user can in the open.
not_for='user-open user-run user-join'

prepare() {
    mkdir $granted
    command attack listen /run/heard unix $granted/socket -
}

attack() {
    command attack pretend $granted/socket || exit
    stopped 'the server will say who called'
}

harm() {
    cat /run/heard
    grep -q -e 'uid 0 ' -e 'says 0:' /run/heard
}
