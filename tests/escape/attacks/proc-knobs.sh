# The machine reset by /proc/sysrq-trigger, its interrupts and its memory's caches set by other files of /proc.
# shellcheck shell=bash disable=SC2034

attack() {
    local file said
    for file in /proc/sysrq-trigger /proc/irq/default_smp_affinity /proc/mtrr /proc/sys/vm/drop_caches /proc/timer_stats; do
        [ -e "$file" ] || continue
        said=$( (: >>"$file") 2>&1 ) && exit 0 # opened, and nothing written: it is the machine's
    done
    stopped "$said"
}

not_for='user-open user-run user-join' # root's alone to write
