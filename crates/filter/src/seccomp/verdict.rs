//! What the filter answers to one system call number: always the same, or by its arguments.

use std::str::FromStr;

use seccompiler::SeccompRule;
use serde::{Deserialize, Serialize};

/// What becomes of a call that is refused: `--seccomp-error-action=`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorAction {
    /// It fails with EPERM.
    #[default]
    Eperm,
    /// The process ends with SIGSYS.
    Kill,
    /// It is done, and the host's log tells of it; see `SECCOMP_RET_LOG` in seccomp(2).
    Log,
}

impl ErrorAction {
    pub(crate) fn answer(self) -> Answer {
        match self {
            ErrorAction::Eperm => Answer::Errno(libc::EPERM),
            ErrorAction::Kill => Answer::Kill,
            ErrorAction::Log => Answer::Log,
        }
    }

    /// The value of the option.
    pub fn name(self) -> &'static str {
        match self {
            ErrorAction::Eperm => "EPERM",
            ErrorAction::Kill => "kill",
            ErrorAction::Log => "log",
        }
    }
}

impl FromStr for ErrorAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [ErrorAction::Eperm, ErrorAction::Kill, ErrorAction::Log];
        let found = all.into_iter().find(|action| action.name() == text);
        found.ok_or_else(|| "it is EPERM, kill or log".to_owned())
    }
}

/// An answer of the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The call runs.
    Allow,
    /// The call does not run and fails with this errno.
    Errno(i32),
    /// The call runs and is logged.
    Log,
    /// The process ends with SIGSYS.
    Kill,
}

impl Answer {
    /// The `SECCOMP_RET_*` value. See seccomp(2).
    pub(crate) fn value(self) -> u32 {
        match self {
            Answer::Allow => libc::SECCOMP_RET_ALLOW,
            Answer::Errno(errno) => libc::SECCOMP_RET_ERRNO | (errno.unsigned_abs() & libc::SECCOMP_RET_DATA),
            Answer::Log => libc::SECCOMP_RET_LOG,
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

    /// The same with one answer in the place of another.
    pub(crate) fn with(mut self, before: Answer, after: Answer) -> Self {
        let answers = self.cases.iter_mut().map(|case| &mut case.answer).chain([&mut self.otherwise]);
        answers.filter(|answer| **answer == before).for_each(|answer| *answer = after);
        self
    }
}
