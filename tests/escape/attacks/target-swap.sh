# The place something is mounted on, changed for a link that leads out of the new root. CVE-2021-30465
# shellcheck shell=bash disable=SC2034

open='naive --root=/srv/tree --bind=/srv/share,/srv/data/dir'
jail_options='--root=/srv/tree --bind=/srv/data:rw --bind=/srv/share,/srv/data/dir --bind=/srv/attacks'
bwrap_options='--bind /srv/data /srv/data --bind /srv/share /srv/data/dir'
# A start; a mount of a user's covers nothing of the host's; Firejail has no such option.
not_for='jail-join user-open user-run user-join firejail'

prepare() {
    victim
    tree
    mkdir -p /srv/share /srv/data/dir /srv/tree/srv/data
    mount --bind /srv/data /srv/tree/srv/data
    touch /srv/share/covered
    ln -s /run/victim /srv/data/link
}

launch() { race /srv/data/dir /srv/data/link '/srv/data/dir' "$@"; }

attack() { stopped "nothing of the host's must be covered"; }
harm() { is_harmed; }
