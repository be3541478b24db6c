# The program that the kernel starts as root outside for a core dump, chosen by writing to /proc/sys. CVE-2022-0847's way
# out, CVE-2025-31133
# shellcheck shell=bash disable=SC2034

attack() {
    local said
    for file in core_pattern modprobe hotplug; do
        [ -e "/proc/sys/kernel/$file" ] || continue
        # Opened to append, and nothing appended: it is the machine's.
        said=$( (: >>"/proc/sys/kernel/$file") 2>&1 ) && exit 0
    done
    stopped "$said"
}

not_for='user-open user-run user-join' # root's alone to write
