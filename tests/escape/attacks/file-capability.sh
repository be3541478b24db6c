# Gains the capability of a program that it is shown.
# shellcheck shell=bash disable=SC2034

open='setpriv --reuid=1234 --regid=1234 --clear-groups'
by_user || jail_options=--user=1234:1234

prepare() {
    cp /bin/cat /srv/capable
    setcap cap_dac_read_search=ep /srv/capable
    echo secret >/srv/of-root
    chmod 600 /srv/of-root
}

attack() { /srv/capable /srv/of-root || stopped 'the program has no more rights than it'; }
