# Types a command on the terminal it was started from, for the shell that reads it next. CVE-2016-7545, CVE-2017-5226
# shellcheck shell=bash disable=SC2034

# The outer terminal is root's here.
not_for='user-open user-run user-join'

launch() { /srv/attacks/attack outer-terminal /run/typed "$@"; }

attack() { exec attack tiocsti; }

harm() { [ -s /run/typed ]; }
