# Types by a number that a filter takes for another one and the kernel does not. CVE-2019-7303, CVE-2019-10063
# shellcheck shell=bash disable=SC2034

# Nobody but root may, not in the open either, where the kernel is told so.
[ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>&1)" != 0 ] || not_for='user-open user-run user-join'

launch() { /srv/attacks/attack outer-terminal /run/typed "$@"; }

attack() { exec attack ioctl-64bit; }

harm() { [ -s /run/typed ]; }
