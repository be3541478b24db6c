# Configures and overhears the kernel by protocols of netlink. CVE-2022-32250, CVE-2023-32233, CVE-2024-1086
# shellcheck shell=bash disable=SC2034

attack() { exec attack netlink; }
