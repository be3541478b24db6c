# A library in the root directory that a sandbox was given, loaded by the one who sets it up or enters it: for a name to
# look up, a character set, or because ld.so.preload says so. CVE-2019-14271
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --root=/srv/tree'
user_open="$as_root --pid --fork $open"
jail_options='--root=/srv/tree --bind=/srv:ro --bind=/srv/data:rw'
bwrap_options='--ro-bind /srv/tree / --proc /proc --dev /dev --ro-bind /srv /srv --bind /srv/data /srv/data'
not_for=firejail # no other root

prepare() {
    # Only root has users to choose from, whose name is looked up.
    by_user || jail_options+=' --user=service'
    mkdir -m 777 /srv/data
    tree
    echo service:x:33:33::/:/bin/sh >>/srv/tree/etc/passwd
    cp /srv/attacks/libattack.so /srv/tree/etc/library.so
    echo /etc/library.so >/srv/tree/etc/ld.so.preload
    cp /srv/attacks/libattack.so /srv/tree/etc/libnss_attack.so.2
    echo 'passwd: attack files' >/srv/tree/etc/nsswitch.conf
    chmod 755 /srv/tree/etc/library.so
}

attack() { stopped "nobody with rights loaded it; who runs this did: $(grep -c library.so /proc/self/maps)"; }

harm() { [ -e /srv/data/loaded ] || [ -e /run/loaded ] || [ -e /run/user/1234/loaded ]; }
