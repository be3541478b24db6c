# Fills the machine's memory by files and by names of files, in a directory that lies in it.
# shellcheck shell=bash

attack() {
    local directory=${XDG_RUNTIME_DIR:-/run}
    attempt command attack fill "$directory/filled" 64
    attempt command attack fill-names "$directory/names" 280000
    verdict
}
