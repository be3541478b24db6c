# Uses shared memory, queues and semaphores of the host's that everybody may use.
# shellcheck shell=bash

prepare() { /srv/attacks/attack sysv make; }

attack() { exec attack sysv; }
