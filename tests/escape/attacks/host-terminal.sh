# Writes on a terminal that somebody works on, one of the host's.
# shellcheck shell=bash disable=SC2034,SC2154

prepare() {
    mkfifo -m 666 /run/end
    local typed=/run/typed
    ! by_user || typed=/run/user/1234/typed
    coproc terminal { by_owner "$there/attack" outer-terminal $typed bash -c 'tty; read -r _ </run/end'; }
    exec {from}<&"${terminal[0]}"
    read -r tty <&"$from"
    tr -d '\r' <<<"$tty" >/srv/tty
}

attack() {
    said=$(bash -c "echo intruded >$(cat /srv/tty)" 2>&1) || stopped "$said"
    stopped 'who works there will see it'
}

harm() {
    echo >/run/end
    grep intruded <&"$from"
}
