# Files of the host's that a jail only reads, written: what is shown would be what is given away.
# shellcheck shell=bash

prepare() {
    mkdir -p /srv/data /etc/data
    chmod 777 /srv/data /etc/data
}

attack() {
    for directory in /srv/data /etc/data; do
        touch "$directory/written"
    done
    stopped "$(touch /srv/data/written 2>&1)"
}

harm() { [ -e /srv/data/written ] || [ -e /etc/data/written ]; }
