# Rewrites a set-user-id program of the host's in a granted directory, through its pages: that takes no mode away.
# shellcheck shell=bash disable=SC2034

granted=/srv/granted
jail_options=--grant=$granted:rw
firejail_options=--read-write=$granted
bwrap_options="--bind $granted $granted"
not_for='jail-join user-join' # what does not start is not joined

prepare() {
    mkdir -p $granted/deep/below
    cp /bin/true $granted/deep/below/program
    given $granted # one of the user's is enough for all others to be that user
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
