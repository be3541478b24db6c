# A cgroup v1 hierarchy of one's own names a program that the kernel starts as root outside when a group is empty.
# CVE-2022-0492
# shellcheck shell=bash disable=SC2034

open='unshare --mount'

attack() {
    local agent said
    mkdir -p /tmp/cgroup
    said=$(mount -t cgroup -o none,name=attacked none /tmp/cgroup 2>&1)
    for agent in /tmp/cgroup/release_agent /sys/fs/cgroup/*/release_agent; do
        [ -e "$agent" ] || continue
        ( : >>"$agent" ) 2>/dev/null || continue
        umount /tmp/cgroup
        exit 0
    done
    stopped "$said"
}

not_for='user-open user-run user-join' # only the host's root names one
