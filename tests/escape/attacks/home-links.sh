# A home whose dot files are links to what only root may read: copied by root, they are the attacker's.
# CVE-2017-5180, CVE-2017-5940
# shellcheck shell=bash disable=SC2034,SC2154

open='naive --copy=/srv/home/.bashrc,/tmp/.bashrc'
user_open="$as_root $open"
jail_options=--private=/srv/home
firejail_options=--private=/srv/home
bwrap_options='--bind /srv/home /root'

prepare() {
    secret
    mkdir -m 777 /srv/home
    given /srv/home
    for file in .bashrc .Xauthority .asoundrc .ssh; do ln -s /run/secret/file "/srv/home/$file"; done
}

attack() {
    for file in {~,/tmp}/{.bashrc,.Xauthority,.asoundrc,.ssh}; do
        if is_secret "$file"; then exit 0; fi
    done
    stopped "$(ls -la ~/)"
}
