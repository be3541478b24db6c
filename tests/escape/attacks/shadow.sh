# The host's password hashes, which root inside must not read as root outside may.
# shellcheck shell=bash disable=SC2016,SC2034

prepare() {
    echo 'admin:$y$j9T$stolen:20000:0:99999:7:::' >/etc/shadow
    chmod 600 /etc/shadow
}

attack() {
    grep -q stolen /etc/shadow && exit 0
    stopped "/etc/shadow: $(cat /etc/shadow 2>&1) $(ls -ln /etc/shadow)"
}

not_for='user-open user-run user-join' # a user cannot read them to begin with
