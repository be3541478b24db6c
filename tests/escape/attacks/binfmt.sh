# A format of programs that the whole machine would hand to the attacker's interpreter.
# shellcheck shell=bash disable=SC2034

open='unshare --mount'

attack() {
    mkdir -p /tmp/binfmt
    said=$(mount -t binfmt_misc none /tmp/binfmt 2>&1)
    for register in {/tmp/binfmt,/proc/sys/fs/binfmt_misc}/register; do
        [ -e "$register" ] && ( : >>"$register" ) 2>/dev/null && exit 0
    done
    stopped "$said"
}

not_for='user-open user-run user-join' # the whole machine's are root's alone; a user's count in its own namespace only
