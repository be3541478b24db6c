//! `ErrorAction`: what becomes of a call that is refused.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::errno::Errno;
use super::verdict::Answer;

/// What becomes of a call that is refused: `--seccomp-error-action=`, and behind the `:` of an item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ErrorAction {
    /// It fails with this; with EPERM unless told otherwise.
    Errno(Errno),
    /// The process ends with SIGSYS.
    Kill,
    /// It is done, and the host's log tells of it; see `SECCOMP_RET_LOG` in seccomp(2).
    Log,
}

impl Default for ErrorAction {
    fn default() -> Self {
        ErrorAction::Errno(Errno::EPERM)
    }
}

impl ErrorAction {
    pub(crate) fn answer(self) -> Answer {
        match self {
            ErrorAction::Errno(errno) => Answer::Errno(errno.number()),
            ErrorAction::Kill => Answer::Kill,
            ErrorAction::Log => Answer::Log,
        }
    }

    /// The value of the option.
    pub fn name(self) -> &'static str {
        match self {
            ErrorAction::Errno(errno) => errno.name(),
            ErrorAction::Kill => "kill",
            ErrorAction::Log => "log",
        }
    }
}

impl FromStr for ErrorAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, Errno::named(text)) {
            ("kill", _) => Ok(ErrorAction::Kill),
            ("log", _) => Ok(ErrorAction::Log),
            (_, Some(errno)) => Ok(ErrorAction::Errno(errno)),
            (_, None) => Err(match Errno::nearest(text) {
                Some(nearest) => format!("it is kill, log, or what the call fails with, like {nearest}"),
                None => "it is kill, log, or what the call fails with, like EPERM: errno(3) has the names"
                    .to_owned(),
            }),
        }
    }
}

impl From<ErrorAction> for String {
    fn from(action: ErrorAction) -> String {
        action.name().to_owned()
    }
}

impl TryFrom<String> for ErrorAction {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_kill_log_or_any_errno_by_its_name() {
        for name in ["EPERM", "ENOSYS", "EACCES", "kill", "log"] {
            assert_eq!(name.parse::<ErrorAction>().map(ErrorAction::name), Ok(name));
        }
        for wrong in ["", "eperm", "KILL", "1", "38", "EPERM ", "ENOSUCH"] {
            assert!(wrong.parse::<ErrorAction>().is_err(), "{wrong}");
        }
        assert!("ENOSSY".parse::<ErrorAction>().unwrap_err().ends_with("like ENOSYS"));
    }
}
