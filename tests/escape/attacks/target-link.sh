# A place to mount on that is yet to be made, beyond a link in the root directory that a sandbox was given: what is made
# is made on the host. CVE-2024-45310, CVE-2025-24965
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --root=/srv/tree --bind=/srv/share,/data/link/new'
user_open="$as_root --pid --fork $open"
jail_options='--root=/srv/tree --bind=/srv/attacks --bind=/srv/share,/data/link/new --tmpfs=/data/link/fresh --bind=/srv/share/covered,/data/link/file'
bwrap_options='--bind /srv/tree / --proc /proc --dev /dev --bind /srv/attacks /srv/attacks --bind /srv/share /data/link/new'
not_for=firejail # has no such option

prepare() {
    victim
    tree
    mkdir -p /srv/share /srv/tree/data
    touch /srv/share/covered
    ln -s /run/victim /srv/tree/data/link
}

launch() { may_refuse "bwrap: Can't mkdir" "$@"; }
attack() { stopped "made inside: $(echo /data/link/*)"; }
harm() { is_harmed; }
