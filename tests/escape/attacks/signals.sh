# Signals processes of the host's: everybody, by number, and by a descriptor.
# shellcheck shell=bash

# The victim counts what reaches it. What the attack sends does nothing to a process that does not ask for it.
prepare() {
    mkfifo /run/ready /run/end
    exec {ready}<>/run/ready {end}<>/run/end
    (
        trap 'touch /run/reached' URG
        echo ready >&"$ready"
        read -r _ <&"$end"
    ) &
    victim=$!
    read -r _ <&"$ready"
    echo $victim >/srv/victim
}

attack() {
    victim=$(cat /srv/victim)
    kill -URG -1 || true
    kill -URG "$victim" || true
    command attack pidfd-signal "$victim" || true
    stopped 'the victim will say whether it was reached'
}

harm() {
    echo end >&"$end"
    wait "$victim"
    [ -e /run/reached ]
}
