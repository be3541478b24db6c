# Stays when its sandbox is ended: in a session of its own, by a second fork, deaf to signals.
# shellcheck shell=bash disable=SC2034

# What runs to its end is waited for; a jail that is joined is ended then.
not_for='jail-run user-run'

attack() {
    trap '' HUP INT TERM
    setsid bash -c 'exec -a outlives sleep 1000 </dev/null >/dev/null 2>&1 &' &
    wait
    until pgrep -x -f 'outlives 1000' >/dev/null; do :; done
    stopped 'the host will see what stays'
}

harm() { pgrep -x -f 'outlives 1000'; }
