# The host's state by the overlay that lies on it: changed, moved, linked or opened before it was copied.
# shellcheck shell=bash disable=SC2034

prepare() {
    mount -t tmpfs -o mode=755 tmpfs /var/lib
    mkdir -p /var/lib/service/state
    echo mine >/var/lib/service/state/file
    chmod -R a+rwX /var/lib
}

attack() {
    local file=/var/lib/service/state/file
    {
        exec 5<$file
        echo theirs >$file
        echo theirs >/proc/self/fd/5
        chmod 0 $file
        ln $file /var/lib/service/link
        echo theirs >/var/lib/service/link
        setfattr -n user.attack -v x $file
        mv /var/lib/service/state /var/lib/service/moved
        rm -rf /var/lib/service
    } 2>/dev/null
    stopped "outside it must be as it was; here: $(echo /var/lib/*)"
}

harm() { [ "$(cat /var/lib/service/state/file)" != mine ] || [ "$(find /var/lib/service | wc -l)" != 3 ]; }
