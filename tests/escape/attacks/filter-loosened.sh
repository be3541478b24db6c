# Lays another filter on top, one that lets everything through, and takes back what made the first one binding.
# shellcheck shell=bash disable=SC2034

attack() {
    ! by_user || exec attack filter-loosened user # calls that a user has in the open
    exec attack filter-loosened
}
