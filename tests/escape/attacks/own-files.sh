# The files that are made for a sandbox in /etc, written: the host's lie below. CVE-2016-10118
# shellcheck shell=bash disable=SC2034

prepare() {
    for file in resolv.conf hosts hostname; do
        rm -f "/etc/$file"
        echo mine >"/etc/$file"
        given "/etc/$file" # so that nothing else keeps a user from writing it
    done
}

attack() {
    for file in resolv.conf hosts hostname; do
        said=$( (echo theirs >"/etc/$file") 2>&1 )
        (rm -f "/etc/$file" && echo theirs >"/etc/$file") 2>/dev/null
    done
    stopped "$said"
}

harm() { ! cat /etc/{resolv.conf,hosts,hostname} | cmp -s - <(printf 'mine\nmine\nmine\n'); }
