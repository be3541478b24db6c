# Files of running sandboxes that everybody may write, for they were made with the umask of whoever started them.
# CVE-2016-10119, CVE-2016-10120, CVE-2016-10121
# shellcheck shell=bash disable=SC2034,SC2154

open=naive
user_open="$as_root $open"

prepare() { ! by_user || chmod 755 /run/user/1234; } # where others come to it

launch() {
    : >/run/found
    list >/run/before
    umask 0
    while_inside "$@"
}
outside() { list | comm -13 /run/before - >/run/found; }
list() { setpriv --reuid=4321 --regid=4321 --clear-groups find /run /var/lib /dev/shm -writable ! -type l 2>/dev/null | sort; }

attack() {
    waits
    stopped 'others find nothing to write'
}

harm() { [ -s /run/found ]; }
