# Leaves a set-user-id program of root's, or of the user's, in a directory of the host's from a jail without a filter on
# system calls.
# shellcheck shell=bash disable=SC2034

granted=/srv/granted
jail_options="--seccomp=none --grant=$granted:rw"
bwrap_options="--bind $granted $granted"
not_for='jail-join user-join' # what does not start is not joined

prepare() {
    mkdir -m 777 $granted
    cp /bin/true $granted/program
    given $granted
}

# A jail that is refused because it could is not planting anything.
launch() {
    local said status=0
    said=$("$@" 2>&1) || status=$?
    echo "$said"
    [ $status != 125 ] || [[ $said != *"may make set-user-ID files"* ]] || status=41
    return $status
}

attack() {
    # One that is there already, of root's; one of the attacker's own; one that is given to root.
    cp /bin/true $granted/own
    for program in $granted/program $granted/own; do
        chown 0:0 "$program" # which a user cannot, and need not
        chmod 4755 "$program"
    done
    stopped "the host will say whose they are: $(ls -ln $granted)"
}

harm() {
    local owner=0
    ! by_user || owner=1234
    find $granted -perm /6000 -uid $owner | grep -q .
}
