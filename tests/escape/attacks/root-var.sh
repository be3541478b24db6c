# A root directory whose /var is a link: directories for logs and state are made where it leads.
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --root=/srv/tree'
user_open="$as_root --pid --fork $open"
jail_options='--root=/srv/tree --bind=/srv/attacks'
bwrap_options='--bind /srv/tree / --proc /proc --dev /dev --bind /srv/attacks /srv/attacks --tmpfs /var/log'
not_for=firejail # no other root

prepare() {
    victim
    tree
    rm -r /srv/tree/var
    ln -s /run/victim /srv/tree/var
}

launch() { may_refuse '/var' "$@"; }
attack() { stopped "/var: $(ls -la /var /var/log 2>&1)"; }
harm() { is_harmed; }
