# The other tables of system calls, which a filter misses that knows one number for each. CVE-2009-0835, CVE-2014-0038
# shellcheck shell=bash disable=SC2034

attack() { exec attack foreign-abi; }
