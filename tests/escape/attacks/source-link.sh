# A directory that was granted for writing has a link in it when the next sandbox is granted what was there.
# CVE-2024-42472, CVE-2017-1002101
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --bind=/srv/data/dir,/tmp/dir'
user_open="$as_root $open"
jail_options=--bind=/srv/data/dir,/tmp/dir
bwrap_options='--bind /srv/data/dir /tmp/dir'
not_for='jail-join user-join firejail' # a start; Firejail has no such option for others than root's own

prepare() {
    secret
    chmod 755 /run/secret
    mkdir -m 777 /srv/data
    ln -s /run/secret /srv/data/dir
    given /srv/data
}

launch() { may_refuse 'leads through the symbolic link /srv/data/dir' "$@"; }

attack() {
    if is_secret /tmp/dir/file; then exit 0; fi
    stopped "$(ls -la /tmp/dir)"
}
