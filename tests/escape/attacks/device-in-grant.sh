# A device node that is already in a directory that was granted: whoever opens it has the device.
# shellcheck shell=bash disable=SC2034

jail_options=--grant=/srv/data:rw
firejail_options=--read-write=/srv/data
bwrap_options='--bind /srv/data /srv/data'

prepare() {
    mkdir -p /srv/data
    mknod -m 666 /srv/data/device c 1 5
    given /srv/data
}

attack() {
    [ -c /srv/data/device ] || exit 3
    said=$(head -c 4 /srv/data/device 2>&1 >/dev/null) && exit 0
    stopped "$said"
}
