# A root directory whose /proc is a link: it is mounted elsewhere, and what should be written to it is written to files of
# the attacker's choice. CVE-2025-52881, CVE-2019-16884, CVE-2019-19921, CVE-2023-28642
# shellcheck shell=bash disable=SC2034

open='naive --root=/srv/tree'
jail_options='--root=/srv/tree --bind=/srv/attacks'
bwrap_options='--bind /srv/tree / --proc /proc --dev /dev --bind /srv/attacks /srv/attacks'
not_for='firejail user-open user-run user-join' # no other root; a mount of a user's covers nothing of the host's

prepare() {
    victim
    tree
    rmdir /srv/tree/proc
    ln -s /run/victim /srv/tree/proc
}

launch() { may_refuse "bwrap: Can't mount" "$@"; }
attack() { stopped "/proc is $(stat -c %F /proc), of type $(stat -fc %T /proc)"; }
harm() { is_harmed; }
