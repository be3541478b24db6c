# Selects and pastes on a virtual console. CVE-2023-1523
# shellcheck shell=bash disable=SC2034

# A console is the machine's, and root's.
not_for='user-open user-run user-join'

attack() { exec attack tioclinux; }
