# Takes a capability back: by asking, by being root again, by the ways from one set to another.
# shellcheck shell=bash disable=SC2034,SC2154

user_open=$as_root

attack() {
    ! by_user || exec attack regain-alone # there is no other user to become and come back from
    exec attack regain
}
