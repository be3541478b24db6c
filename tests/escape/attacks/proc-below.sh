# Looks at the host through file systems of the kernel's own that are mounted below what is shown or granted, as a chroot
# in /srv has them: processes, the kernel's objects, control groups, terminals.
# shellcheck shell=bash disable=SC2034

jail_options='--grant=/srv/given:rw --bind=/srv/given,/mnt/given'
kernels='proc sysfs cgroup2 devpts'

prepare() {
    local tree fs
    mkdir -p /srv/given
    given /srv/given # before anything is mounted below it: what is the kernel's there is this machine's own
    for tree in chroot given; do
        for fs in $kernels; do
            mkdir -p "/srv/$tree/$fs"
            mount -t "$fs" "$fs" "/srv/$tree/$fs"
        done
    done
    exec -a of-the-host sleep inf >/dev/null 2>&1 & # or whoever reads what is said waits for its end
}

# One tree of them, or the part of it that there is.
look() {
    cat "$1"/proc/[0-9]*/cmdline 2>/dev/null | grep -qa of-the-host && exit 0
    [ ! -e "$1/proc/keys" ] && [ ! -e "$1/sysfs/kernel" ] && [ ! -e "$1/cgroup2/cgroup.procs" ] &&
        [ ! -e "$1/devpts/ptmx" ] || exit 0
}

attack() {
    local tree seen=()
    for tree in /srv/chroot /srv/given /mnt/given; do
        look "$tree"
        [ ! -d "$tree/proc" ] || seen+=("$tree")
    done
    [ ${#seen[@]} != 0 ] || { echo 'broken: none of the trees is shown'; exit 3; }
    stopped "nothing in ${seen[*]}"
}
