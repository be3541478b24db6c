# Writes to a FIFO of the host's in a directory that is only shown, which a read-only mount does not keep it from.
# shellcheck shell=bash disable=SC2034

prepare() {
    mkfifo -m 666 /srv/fifo
    exec {fifo}<>/srv/fifo
}

attack() {
    said=$(timeout 5 bash -c 'echo written >/srv/fifo' 2>&1) || stopped "$said"
}
