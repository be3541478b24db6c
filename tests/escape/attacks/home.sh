# Reads what is private in the home of whoever starts it: keys, passwords, history.
# shellcheck shell=bash disable=SC2034,SC2154

prepare() {
    home=/root
    ! by_user || home=/home/user
    mount -t tmpfs -o mode=700 tmpfs $home # the machine's own until here
    mkdir $home/.ssh
    echo secret >$home/.ssh/id
    chmod 600 $home/.ssh/id
    given $home
}

attack() {
    for home in ~ /root /home/user; do
        if is_secret "$home/.ssh/id"; then exit 0; fi
    done
    stopped "$(ls -la ~/.ssh 2>&1)"
}
