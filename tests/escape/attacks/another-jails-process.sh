# Reads and writes a process of another jail's, and takes its descriptors.
# shellcheck shell=bash disable=SC2034

not_for='firejail bwrap' # a jail is what is attacked, one of the same owner's

prepare() {
    by_owner jail --quiet run -d --name=victim -- sleep inf >/dev/null
    by_owner jail list | cut -d: -f1 >/srv/victim
}

attack() { exec attack process-memory "$(cat /srv/victim)"; }
