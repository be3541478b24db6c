# A place to mount on that is above the root directory, by its path.
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --root=/srv/tree --bind=/srv/share,/../../run/victim/new'
user_open="$as_root --pid --fork $open"
jail_options='--root=/srv/tree --bind=/srv/attacks --bind=/srv/share,/../../run/victim/new'
bwrap_options='--bind /srv/tree / --proc /proc --dev /dev --bind /srv/attacks /srv/attacks --bind /srv/share /../../run/victim/new'
not_for='firejail jail-join user-join' # no such option; a start

prepare() {
    victim
    tree
    mkdir -p /srv/share
}

launch() { may_refuse "has '..' in it" "$@"; }
attack() { stopped "made inside: $(ls -d /run/victim/new 2>&1)"; }
harm() { is_harmed; }
