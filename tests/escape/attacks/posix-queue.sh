# Reads and writes a POSIX message queue of the host's that everybody may use.
# shellcheck shell=bash

prepare() { /srv/attacks/attack queue make; }

attack() { exec attack queue; }
