# A directory that is granted, changed for a link to what is not while the sandbox is started. CVE-2021-26910, CVE-2024-42472
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --bind=/srv/data/dir,/tmp/dir'
user_open="$as_root $open"
jail_options=--bind=/srv/data/dir,/tmp/dir
bwrap_options='--bind /srv/data/dir /tmp/dir'
not_for='jail-join user-join firejail' # a start; Firejail has no such option for others than root's own

prepare() {
    secret
    mkdir -p /srv/data/dir
    ln -s /run/secret /srv/data/link
    given /srv/data
}

launch() { race /srv/data/dir /srv/data/link 'symbolic link' "$@"; }

attack() {
    if is_secret /tmp/dir/file; then exit 0; fi
    stopped 'it is the directory that was meant'
}
