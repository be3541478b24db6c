# Signals processes of the host's: everybody, by number, and by a descriptor.
# shellcheck shell=bash disable=SC2154

# The victim, one whom the attacker may signal, notes what reaches it. What is sent does nothing to who does not ask for it.
prepare() {
    mkdir -m 777 /srv/victim
    mkfifo -m 666 /srv/victim/ready /srv/victim/end
    exec {ready}<>/srv/victim/ready {end}<>/srv/victim/end
    [[ $way != user-* ]] || as_user=("${user[@]}")
    # shellcheck disable=SC2016
    "${as_user[@]}" bash -c '
        trap "touch /srv/victim/reached" URG
        echo ready >/srv/victim/ready
        read -r _ <>/srv/victim/end' &
    victim=$!
    read -r _ <&"$ready"
    echo $victim >/srv/victim/pid
}

attack() {
    victim=$(cat /srv/victim/pid)
    kill -URG -1 || true
    kill -URG "$victim" || true
    command attack pidfd-signal "$victim" || true
    stopped 'the victim will say whether it was reached'
}

harm() {
    echo end >&"$end"
    wait "$victim"
    [ -e /srv/victim/reached ]
}
