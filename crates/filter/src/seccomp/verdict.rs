//! What the filter answers to one system call number: always the same, or by its arguments.

use seccompiler::SeccompRule;

/// An answer of the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The call runs.
    Allow,
    /// The call does not run and fails with this errno.
    Errno(i32),
    /// The process ends with SIGSYS.
    Kill,
}

impl Answer {
    /// The `SECCOMP_RET_*` value. See seccomp(2).
    pub(crate) fn value(self) -> u32 {
        match self {
            Answer::Allow => libc::SECCOMP_RET_ALLOW,
            Answer::Errno(errno) => libc::SECCOMP_RET_ERRNO | (errno.unsigned_abs() & libc::SECCOMP_RET_DATA),
            Answer::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        }
    }
}

/// One case of a call that is decided by its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// Conditions that must all hold.
    pub(crate) rule: SeccompRule,
    /// The answer then.
    pub(crate) answer: Answer,
}

/// The first case that holds decides, else `otherwise`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) cases: Vec<Case>,
    pub(crate) otherwise: Answer,
}

impl Verdict {
    /// The same answer whatever the arguments are.
    pub(crate) fn always(answer: Answer) -> Self {
        Verdict { cases: Vec::new(), otherwise: answer }
    }
}
