# Types a command on the terminal it was started from, for the shell that reads it next. CVE-2016-7545, CVE-2017-5226
# shellcheck shell=bash disable=SC2034

# Nobody but root may, not in the open either, where the kernel is told so.
[ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>&1)" != 0 ] || not_for='user-open user-run user-join'

launch() { /srv/attacks/attack outer-terminal /run/typed "$@"; }

attack() { exec attack tiocsti; }

harm() { [ -s /run/typed ]; }
