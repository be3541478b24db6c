# A user whose name is a number: whoever asks for that id gets that user's. CVE-2026-30892
# shellcheck shell=bash disable=SC2034

open='naive --user=7'
jail_options=--user=7
bwrap_options='--unshare-user --uid 7'
not_for='firejail user-open user-run user-join' # these run as who starts them

prepare() { echo '7:x:0:0::/:/bin/sh' >>/etc/passwd; }

attack() {
    [ "$(id -u)" != 0 ] || exit 0
    stopped "$(id)"
}
