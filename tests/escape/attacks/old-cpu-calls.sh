# What an x86 offers to programs of the past. CVE-2015-3290, CVE-2017-17053
# shellcheck shell=bash disable=SC2034

attack() { exec attack old-cpu-calls; }
