# Holds the kernel in the middle of a copy, as many an exploit has done. CVE-2018-18397
# shellcheck shell=bash disable=SC2034

# A user has it for faults in user mode, and for others where `vm.unprivileged_userfaultfd` says so.
attack() {
    ! by_user || exec attack userfaultfd-user-mode
    exec attack userfaultfd
}
