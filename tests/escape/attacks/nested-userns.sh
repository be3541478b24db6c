# A user namespace of one's own opens the kernel's privileged surface. CVE-2022-0185, CVE-2023-2640
# shellcheck shell=bash

attack() { exec attack nested-userns; }
