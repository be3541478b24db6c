# Sockets of families that a kernel has for some machine or other. CVE-2010-3904, CVE-2021-43267
# shellcheck shell=bash disable=SC2034

attack() { exec attack rare-families; }
