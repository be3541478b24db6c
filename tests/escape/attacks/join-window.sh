# One who comes in later is for a moment inside with what it has from outside: its root, its descriptors, its rights.
# CVE-2016-9962
# shellcheck shell=bash disable=SC2034,SC2154

jail_options=--grant=/srv/found:rw
not_for='jail-run user-run firejail bwrap' # nobody is there before, and the peers' cannot be entered

prepare() {
    secret
    mkdir -m 777 /srv/found
}

launch() {
    if [ "$way" = open ]; then naive bash -c "PATH=$PATH; $(declare -f resident); resident" & fi
    local status
    for ((round = 0; round < rounds; round++)); do
        status=0
        "$@" >/run/said || status=$?
    done
    cat /run/said
    [ "$way" != open ] || wait $!
    return $status
}

resident() { exec attack join-window /run/secret/file /srv/found/it; }
attack() { stopped 'whoever is inside already saw it come'; }

harm() { [ -e /srv/found/it ]; }
