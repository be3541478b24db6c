# shellcheck shell=bash
# What an attack consists of, and what all of them may use. Read on the host and inside, before the attack itself.
#
# A file of this directory is one attack. It says in its first lines what it tries and which CVE was made of that, and
# defines `attack`, which is run inside and ends by one of:
#
#     exit 0    it works: what must not be reached was reached
#     stopped   it was tried and did not work; says why
#
# Any other end is a broken attack, not a protection. Where needed it defines as well:
#
#     prepare         on the host, before: makes what the attack is after
#     launch          runs "$@", the sandbox, in a place that the attack is about (a descriptor left open, a terminal)
#                     or as often as it takes; its status is the attack's, unless the host is harmed
#     resident        inside, what runs in a jail before it is joined (sleeps)
#     harm            on the host, after: succeeds if the host is harmed, and then the attack works whatever else it says
#     jail_options    what of `jail run` the attack is about, like a writable grant; firejail_options, bwrap_options the same
#     open, user_open a command that runs the attack in an open configuration, where not bare on the host; `naive` is
#                     a sandbox that trusts paths
#     not_for         ways it is not for
#
# An open configuration is a host that shares its kernel, its /dev, /usr, /home and /root with the machine the tests run
# on: an attack that works there shows that it does, and changes nothing that is not under /etc, /run, /srv or /tmp.

# shellcheck disable=SC2034 # for tests/escape/try
jail_options='' firejail_options='' bwrap_options='' open='' user_open='' not_for=''

# How often a race is run.
rounds=${ROUNDS:-100}

prepare() { :; }
launch() { "$@"; }
resident() { exec sleep inf; }
harm() { false; }

# The attack was stopped: by what, in words.
stopped() {
    local why=$*
    echo "stopped: ${why//$'\n'/; }"
    exit 41
}

# On the host, a file that nothing inside is meant to see, not even its name.
secret() {
    mkdir -p /run/secret
    echo secret >/run/secret/file
}

# Whether a file is that one, whatever path leads to it.
is_secret() { [ "$(cat "$1" 2>&1)" = secret ]; }

# A system of its own in /srv/tree, for sandboxes that are given a root directory.
tree() {
    mkdir -p /srv/tree/{dev,etc,home,proc,root,run,srv,sys,tmp,usr,var/log}
    mount --rbind /usr /srv/tree/usr
    ln -s usr/bin usr/sbin usr/lib usr/lib64 /srv/tree
    cp /etc/passwd /etc/group /etc/nsswitch.conf /srv/tree/etc
}

# Runs the sandbox "$@", which may refuse to start as long as it says why: what matches the pattern.
may_refuse() {
    local why=$1 status=0 said
    shift
    said=$("$@" 2>&1) || status=$?
    printf '%s\n' "$said"
    case $status in
        0 | 41) ;;
        *)
            [[ $said =~ $why ]] || return 3
            echo "stopped: refused to start"
            status=41
            ;;
    esac
    return $status
}

# Runs the sandbox "$@", and `outside` once the attack inside waits for it with `waits`.
while_inside() {
    local said status=0
    coproc sandbox { "$@"; }
    local from to pid=$! # descriptors of our own, for bash closes the others as it sees the end of it
    exec {from}<&"${sandbox[0]}" {to}>&"${sandbox[1]}"
    while read -r said <&"$from" && [ "$said" != waits ]; do echo "$said"; done
    outside
    echo go >&"$to" || true
    cat <&"$from"
    wait "$pid" || status=$?
    return $status
}
waits() {
    echo waits
    read -r _ || { echo 'broken: nobody outside' >&2; exit 3; }
}
