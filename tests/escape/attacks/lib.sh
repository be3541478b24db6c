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
#     jail_before     what stands before `run`, options of `jail` itself
#     open, user_open a command that runs the attack in an open configuration, where not bare on the host; `naive` is
#                     a sandbox that trusts paths
#     not_for         ways it is not for, and why; who leaves out a canary leaves out its ways
#
# An open configuration is a host that shares its kernel, its /dev, /usr, /home and /root with the machine the tests run
# on: an attack that works there shows that it does, and changes nothing that is not under /etc, /run, /srv or /tmp.

# shellcheck disable=SC2034 # for tests/escape/try
jail_options='' jail_before='' firejail_options='' bwrap_options='' open='' user_open='' not_for=''

# In the open, an attack that takes more than the rights of a user is made with what a user may have: the rights of root
# in a user namespace of its own.
as_root='unshare --user --map-root-user'

# How often a race is run; more of it: ROUNDS=2000 tests/escape/try jail-run source-swap, on a host of scripts/host.
rounds=${ROUNDS:-50}

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

# Whether it is an ordinary user who attacks. On the host: runs a command as whoever starts sandboxes; gives what was
# made for the attack to that one.
# shellcheck disable=SC2154 # of tests/escape/try
by_user() { [[ $way = user-* ]]; }
# shellcheck disable=SC2154
by_owner() { if by_user; then "${user[@]}" "$@"; else "$@"; fi; }
given() { ! by_user || chown --recursive --no-dereference 1234:1234 "$@"; }

# On the host, a file that nothing inside is meant to see, not even its name.
secret() {
    mkdir -p /run/secret
    echo secret >/run/secret/file
}

# Whether a file is that one, whatever path leads to it.
is_secret() { [ "$(cat "$1" 2>&1)" = secret ]; }

# A system of its own in /srv/tree, for sandboxes that are given a root directory.
tree() {
    mkdir -p /srv/tree/{dev,etc,home,proc,root,run,srv/attacks,sys,tmp,usr,var/log}
    ln -s usr/bin usr/sbin usr/lib usr/lib64 /srv/tree
    cp /etc/passwd /etc/group /etc/nsswitch.conf /srv/tree/etc
    given /srv/tree
    mount --rbind /usr /srv/tree/usr
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

# A directory of the host's that nothing should come to, whoever leads there. What is mounted on it is seen by all.
victim() {
    mkdir -p /run/victim
    mount -t tmpfs tmpfs /run/victim
    mount --make-shared /run/victim
    echo mine >/run/victim/file
    given /run/victim
}
is_harmed() { [ "$(ls -A /run/victim)" != file ] || [ "$(cat /run/victim/file)" != mine ]; }

# Runs the sandbox "$@" again and again while two paths change places; it may refuse, as above.
race() {
    local one=$1 other=$2 why=$3 round status said started=0 refused=0 last=''
    shift 3
    command attack exchange "$one" "$other" &
    local racer=$!
    for ((round = 0; round < rounds; round++)); do
        status=0
        said=$("$@" 2>&1) || status=$?
        [[ $status = 41 || $status = 0 || $said =~ $why ]] || status=3
        case $status in
            0 | 3) break ;;
            41) started=$((started + 1)) ;;
            *) refused=$((refused + 1)) status=41 last="; refused: $said" ;;
        esac
    done
    kill "$racer"
    wait "$racer" || true
    echo "$started started, $refused refused$last"
    [ "$status" = 41 ] || echo "$said"
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

# Makes an attempt, a command, of which there are more: `verdict` says what came of all. Each must be refused by name.
worked=() refused=()
attempt() {
    local said status=0
    said=$("$@" 2>&1) || status=$?
    echo "$*: ${said:-status $status}"
    case $status:$said in
        0:*) worked+=("$*") ;;
        41:* | *'not permitted'* | *'ermission denied'* | *'Read-only file system'*) refused+=("$*") ;;
        *) echo 'broken: it fails for another reason' >&2; exit 3 ;;
    esac
}

# All attempts work, or none does: one that does not in the open is not shown to be stopped.
verdict() {
    [ ${#worked[@]} != 0 ] || stopped "none of ${#refused[@]}"
    [ ${#refused[@]} = 0 ] || { echo "broken: only some work: ${worked[*]}" >&2; exit 3; }
    exit 0
}

# On the host, the article's DMZ, and on its bridge a machine that is no jail, `neighbour` at 10.10.20.99, which answers
# on UDP port 7777. Where the attack is in the open it comes from another such machine: `open=$in_dmz`.
in_dmz='ip netns exec attacker'
# shellcheck disable=SC2154 # of tests/escape/try
dmz() {
    jail --quiet net create dmz --subnet=10.10.20.0/24 --bridge=br0
    sysctl --quiet --write net.ipv6.conf.br0.disable_ipv6=0
    ip address add fd00:20::1/64 dev br0 nodad
    machine neighbour br0 10.10.20.99 10.10.20.1 02:00:00:00:00:c8
    ip -netns neighbour address add fd00:20::99/64 dev eth0 nodad
    ip netns exec neighbour "$there/attack" listen /run/neighbour udp 10.10.20.99 7777
    ip netns exec neighbour "$there/attack" listen /run/neighbour udp fd00:20::99 7777
    if [ "$way" = open ]; then
        machine attacker br0 10.10.20.66 10.10.20.1 02:00:00:00:00:66
        ip -netns attacker address add fd00:20::66/64 dev eth0 nodad
    fi
}

# On the host, a machine behind a port of a bridge: machine NAME BRIDGE ADDRESS GATEWAY MAC
machine() {
    ip netns add "$1"
    ip link add "$1" type veth peer name eth0 address "$5" netns "$1"
    ip link set "$1" master "$2" up
    ip -netns "$1" address add "$3/24" dev eth0
    ip netns exec "$1" sysctl --quiet --write net.ipv6.conf.eth0.accept_dad=0 net.ipv4.ping_group_range='0 2147483647'
    ip -netns "$1" link set lo up
    ip -netns "$1" link set eth0 up
    ip -netns "$1" route add default via "$4"
}

# On the host, sends a frame from the interface of the only jail, which must be able to: see programs/frames.c.
# shellcheck disable=SC2154
frame_of_jail() {
    [ "$way" != open ] || return 0
    nsenter --target "$(jail list | cut -d: -f1)" --net "$there/attack" frame "$1" eth0 10.10.20.1 ||
        { echo 'broken: frames of the jail do not arrive'; exit 3; }
}
