# Reads and writes a process of another jail's, and takes its descriptors.
# shellcheck shell=bash disable=SC2034

not_for='firejail bwrap'

# A user's jail is closed to that user outside too: another process of the user's is what is attacked.
# shellcheck disable=SC2154 # of tests/escape/try
prepare() {
    case $way in
        user-*)
            "${user[@]}" sleep inf >/dev/null 2>&1 &
            echo $! >/srv/victim
            return
            ;;
    esac
    jail --quiet run -d --name=victim -- sleep inf >/dev/null
    jail list | cut -d: -f1 >/srv/victim
}

attack() { exec attack process-memory "$(cat /srv/victim)"; }
