# Types by a number that a filter takes for another one and the kernel does not. CVE-2019-7303, CVE-2019-10063
# shellcheck shell=bash disable=SC2034

# The outer terminal is root's here.
not_for='user-open user-run user-join'

launch() { /srv/attacks/attack outer-terminal /run/typed "$@"; }

attack() { exec attack ioctl-64bit; }

harm() { [ -s /run/typed ]; }
