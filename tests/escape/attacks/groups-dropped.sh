# Gives up a group, to read what is closed to its members only. CVE-2014-8989, CVE-2018-7169
# shellcheck shell=bash disable=SC2034

granted=/srv/granted
jail_options="--user=member --grant=$granted"
firejail_options=
open='setpriv --reuid=member --regid=member --init-groups --inh-caps=+setgid --ambient-caps=+setgid'
# Who is a member cannot be told from anybody else in a user's own namespace.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    groupadd --gid 4242 barred
    useradd --no-create-home --groups barred member
    mkdir $granted
    echo secret >$granted/file
    chown 0:4242 $granted/file
    chmod 604 $granted/file
}

attack() {
    id
    cat $granted/file && { echo 'broken: it is not closed to it' >&2; exit 3; }
    setpriv --clear-groups cat $granted/file || stopped 'it stays a member'
}
