//! What the library and the helper binary agree on, compiled into both.

/// argv[1] of the jail's first process.
pub(crate) const INIT: &[u8] = b"init";
/// argv[1] of the process that waits for it.
pub(crate) const SUPERVISE: &[u8] = b"supervise";
/// argv[1] of a command until it is executed.
pub(crate) const EXEC: &[u8] = b"exec";
/// Where the jail's first process finds its lifeline.
pub(crate) const LIFELINE: i32 = 3;
/// How many relays there may be beside the terminal's.
pub(crate) const RELAYS: usize = 4;

/// The errno by which the helper tells that the filter does not let it close the report.
pub(crate) const REPORT_STAYS_OPEN: i32 = 131; // ENOTRECOVERABLE

/// `siginfo_t.si_code` of a child that called _exit(2).
pub(crate) const CLD_EXITED: i32 = 1;

/// A child's end as a shell counts it: its own status, or 128 + n when signal n ended it.
pub(crate) fn shell_status(code: i32, status: i32) -> i32 {
    if code == CLD_EXITED { status } else { 128 + status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_count_as_in_a_shell() {
        assert_eq!(shell_status(CLD_EXITED, 7), 7);
        assert_eq!(shell_status(2, 9), 137);
    }
}
