# One who comes in later is for a moment inside with what it has from outside: its root, its descriptors, its rights.
# CVE-2016-9962
# shellcheck shell=bash disable=SC2034,SC2086,SC2154

jail_options=--grant=/srv/found:rw
user_open='nsenter --user --preserve-credentials --target OWNER'
not_for='jail-run user-run firejail bwrap' # nobody is there before, and the peers' cannot be entered

prepare() {
    secret
    mkdir -m 777 /srv/found
}

launch() {
    local status resident
    resident="PATH=$PATH; $(declare -f resident); resident"
    case $way in
        open) naive bash -c "$resident" & ;;
        user-open)
            # Who joins is root of the same user namespace: another one keeps what it has to itself.
            coproc "${user[@]}" $as_root bash -c 'echo $$; exec naive "$@"' naive bash -c "$resident"
            read -r OWNER <&"${COPROC[0]}"
            set -- "${@/OWNER/$OWNER}"
            ;;
    esac
    for ((round = 0; round < rounds; round++)); do
        status=0
        "$@" >/run/said || status=$?
    done
    cat /run/said
    case $way in *open) wait $! ;; esac
    return $status
}

resident() { exec attack join-window /run/secret/file /srv/found/it; }
attack() { stopped 'whoever is inside already saw it come'; }

harm() { [ -e /srv/found/it ]; }
