# The kernel's own knobs, written: uevent_helper is a program it starts as root, others end the machine's devices.
# shellcheck shell=bash disable=SC2034

attack() {
    local file
    while read -r file; do
        ( : >>"$file" ) 2>/dev/null && exit 0
    done < <(find /sys -type f -perm /222 2>/dev/null | head -n 50)
    stopped "none to write; of /sys there is $(echo /sys/*)"
}

not_for='user-open user-run user-join' # root's alone to write
