# Leaves a set-user-id program of root's in a directory of the host's from a jail without a filter on system calls.
# shellcheck shell=bash disable=SC2034

granted=/srv/granted
jail_options="--seccomp=none --grant=$granted:rw"
bwrap_options="--bind $granted $granted"
# A user's programs are the user's own in any case; and what does not start is not joined.
not_for='jail-join user-open user-run user-join'

prepare() {
    mkdir -m 777 $granted
    cp /bin/true $granted/program
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
        chown 0:0 "$program"
        chmod 4755 "$program"
    done
    stopped "the host will say whose they are: $(ls -ln $granted)"
}

harm() { find $granted -perm /6000 -uid 0 | grep -q .; }
