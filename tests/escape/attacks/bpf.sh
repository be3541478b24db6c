# Hands the kernel a program. CVE-2020-8835, CVE-2021-3490, CVE-2022-23222
# shellcheck shell=bash disable=SC2034

# It is about the machine's own, and an ordinary user has nothing to lose there.
not_for='user-open user-run user-join'

attack() { exec attack bpf; }
