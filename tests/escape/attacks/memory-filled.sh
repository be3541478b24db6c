# Fills the machine's memory by files and by names of files, in a directory that lies in it.
# shellcheck shell=bash

attack() {
    attempt command attack fill /run/filled 64
    attempt command attack fill-names /run/names 280000
    verdict
}

# What is in the open is the host's own.
harm() {
    rm -rf /run/filled /run/names
    false
}
