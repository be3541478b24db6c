# Namespaces of one's own, each of which gives capabilities over a part of the kernel. CVE-2022-0185, CVE-2022-0492
# shellcheck shell=bash disable=SC2034,SC2154

user_open=$as_root

attack() { exec attack new-namespaces; }
