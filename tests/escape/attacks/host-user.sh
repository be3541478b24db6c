# Becomes a user of the host's, to read what only that one may.
# shellcheck shell=bash disable=SC2034

# Root is who may become somebody else.
not_for='user-open user-run user-join'

prepare() {
    echo secret >/srv/of-user
    chown 1234:1234 /srv/of-user
    chmod 600 /srv/of-user
}

attack() {
    said=$(setpriv --reuid=1234 --regid=1234 --clear-groups cat /srv/of-user 2>&1) || stopped "$said"
}
