# Gains root of a set-user-id program that it is shown, as a user that is not root. CVE-2021-4034, CVE-2021-3156
# shellcheck shell=bash disable=SC2034

open='setpriv --reuid=1234 --regid=1234 --clear-groups'
by_user || jail_options=--user=1234:1234

prepare() {
    cp /bin/cat /srv/set-uid
    chmod 4755 /srv/set-uid
    echo secret >/srv/of-root
    chmod 600 /srv/of-root
}

attack() { /srv/set-uid /srv/of-root || stopped 'the program has no more rights than it'; }
