# Counts events of the kernel's and of everybody's. CVE-2013-2094, CVE-2022-1729
# shellcheck shell=bash disable=SC2034

# It is about the machine's own, and an ordinary user has nothing to lose there.
not_for='user-open user-run user-join'

attack() { exec attack perf-events; }
