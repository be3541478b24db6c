# Rewrites a set-user-id program of the host's in a granted directory, through its pages: that takes no mode away.
# shellcheck shell=bash disable=SC2034

granted=/srv/granted
jail_options=--grant=$granted:rw
firejail_options=--read-write=$granted
bwrap_options="--bind $granted $granted"
# A user may write to no program of root's; and what does not start is not joined.
not_for='jail-join user-open user-run user-join'

prepare() {
    mkdir -p $granted/deep/below
    cp /bin/true $granted/deep/below/program
    chmod 4755 $granted/deep/below/program
}

# A jail that is refused because of the program, by its name, is not rewriting it.
launch() {
    local said status=0
    said=$("$@" 2>&1) || status=$?
    echo "$said"
    [ $status != 125 ] || [[ $said != *"$granted/deep/below/program is a set-user-ID program"* ]] || status=41
    return $status
}

attack() { exec attack rewrite $granted/deep/below/program; }
