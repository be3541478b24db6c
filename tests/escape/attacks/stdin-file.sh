# Writes to a file that it was given to read, as its input: the descriptor leads to the file by /proc/self/fd, whatever
# the mounts show. Changes its mode, too.
# shellcheck shell=bash disable=SC2034

prepare() {
    echo mine >/srv/input
    given /srv/input
    chmod 666 /srv/input # root's jail is another user
}

launch() { "$@" </srv/input; }

attack() {
    [ "$(cat)" = mine ] || exit 3 # it is there to be read
    said=$( (echo theirs >/proc/self/fd/0) 2>&1; chmod 777 /proc/self/fd/0 2>&1)
    stopped "$(readlink /proc/self/fd/0); $said"
}

harm() { [ "$(cat /srv/input)" != mine ] || [ "$(stat -c %a /srv/input)" != 666 ]; }
