# A plugin for the one who starts sandboxes, in a directory that others may write to: it runs as whoever loads it.
# shellcheck shell=bash disable=SC2034

open='env LD_PRELOAD=/srv/plugins/libjail_attack.so' user_open=$open
jail_before='--plugin-dir=/srv/plugins --backend=attack'
not_for='firejail bwrap jail-join user-join' # these load none

prepare() {
    mkdir -m 777 /srv/plugins
    cp /srv/attacks/libattack.so /srv/plugins/libjail_attack.so
    chmod 666 /srv/plugins/libjail_attack.so
}

launch() { may_refuse '/srv/plugins can be written by anybody' "$@"; }

attack() { stopped 'it was not loaded'; }

harm() { [ -e /run/loaded ] || [ -e /run/user/1234/loaded ]; }
