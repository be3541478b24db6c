# Holds the kernel in the middle of a copy, as many an exploit has done. CVE-2018-18397
# shellcheck shell=bash disable=SC2034

# It is about the machine's own, and an ordinary user has nothing to lose there.
not_for='user-open user-run user-join'

attack() { exec attack userfaultfd; }
