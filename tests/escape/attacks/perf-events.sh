# Counts events of the kernel's and of everybody's. CVE-2013-2094, CVE-2022-1729
# shellcheck shell=bash disable=SC2034

# What of it an ordinary user may depends on the machine: `kernel.perf_event_paranoid`.
not_for='user-open user-run user-join'

attack() { exec attack perf-events; }
