# The other tables of system calls, which a filter does not see that knows one number for each call. CVE-2009-0835, CVE-2014-0038
# shellcheck shell=bash disable=SC2034

attack() { exec attack foreign-abi; }
