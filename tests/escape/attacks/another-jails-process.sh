# Reads and writes a process of another jail's, and takes its descriptors.
# shellcheck shell=bash disable=SC2034

# A jail of root's is what is attacked.
not_for='user-open user-run user-join firejail bwrap'

prepare() {
    jail --quiet run -d --name=victim -- sleep inf >/dev/null
    jail list | cut -d: -f1 >/srv/victim
}

attack() { exec attack process-memory "$(cat /srv/victim)"; }
