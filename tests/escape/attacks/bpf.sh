# Hands the kernel a program. CVE-2020-8835, CVE-2021-3490, CVE-2022-23222
# shellcheck shell=bash disable=SC2034

# Whether an ordinary user may depends on the machine: `kernel.unprivileged_bpf_disabled`.
not_for='user-open user-run user-join'

attack() { exec attack bpf; }
