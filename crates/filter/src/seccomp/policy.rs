//! The policy: the table, the argument checks and the user's rules become one verdict per system call number.

use std::collections::BTreeMap;
use std::fmt;

use seccompiler::BackendError;

use super::action::ErrorAction;
use super::arguments;
use super::changes::Change;
use super::protocol::Protocol;
use super::rules::{Rules, gets_around};
use super::table::{CALLS, Call, Standing};
use super::verdict::{Answer, Verdict};

/// The bit of a system call number that says it is for the x32 ABI.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// What is answered to each number.
#[derive(Debug)]
pub(crate) struct Policy {
    /// By number; a number that is not here gets the verdict of the next smaller one that is.
    pub(crate) from: BTreeMap<u32, Verdict>,
    /// How many calls are allowed at all.
    pub(crate) allowed: usize,
    /// How many of these only with certain arguments.
    pub(crate) checked: usize,
}

/// Why there is no program for a policy.
#[derive(Debug)]
pub(crate) enum Error {
    /// A condition that cannot be compiled.
    Condition(BackendError),
    /// More instructions than the kernel takes.
    TooLong,
}

impl Policy {
    /// The policy that these rules say.
    pub(crate) fn new(rules: &Rules, protocols: &[Protocol], action: ErrorAction) -> Result<Self, Error> {
        let mut policy = Policy { from: BTreeMap::new(), allowed: 0, checked: 0 };
        policy.set(0, unknown());
        for call in CALLS {
            let Some(number) = call.number else { continue };
            let verdict = decide(call, rules, protocols, action)?;
            policy.allowed += usize::from(verdict.lets_through());
            policy.checked += usize::from(verdict.lets_through() && !verdict.cases.is_empty());
            policy.set(number, verdict);
        }
        for (number, change) in rules.numbers() {
            policy.allowed += usize::from(change == Change::Permit);
            policy.set(number, decide_unknown(change, action));
        }
        #[cfg(target_arch = "x86_64")]
        {
            policy.from.insert(X32, Verdict::always(Answer::Kill));
            // -1 is what a tracer leaves behind to skip a call, not x32.
            policy.from.insert(u32::MAX, unknown());
        }
        Ok(policy)
    }

    /// Decides one number, and leaves the next as it is.
    fn set(&mut self, number: u32, verdict: Verdict) {
        self.from.insert(number, verdict);
        self.from.entry(number + 1).or_insert_with(unknown);
    }
}

fn unknown() -> Verdict {
    Verdict::always(Answer::Errno(libc::ENOSYS))
}

fn decide(call: &Call, rules: &Rules, protocols: &[Protocol], action: ErrorAction) -> Result<Verdict, Error> {
    match (rules.of(call), rules) {
        (Some(Change::Permit), _) => Ok(Verdict::always(Answer::Allow)),
        (Some(Change::Refuse(own)), _) => Ok(refuse(call, protocols, own.unwrap_or(action))?),
        (None, Rules::Profile(profile, _)) => {
            let wanted = profile.verdict(call.name)?;
            protect(call, protocols, action)?.and(wanted).ok_or(Error::TooLong)
        }
        (None, _) if call.standing == Standing::Forbid => Ok(refuse(call, protocols, action)?),
        (None, _) => Ok(protect(call, protocols, action)?),
    }
}

/// What protects the host from this call, whatever lets it through that does not name it.
fn protect(call: &Call, protocols: &[Protocol], action: ErrorAction) -> Result<Verdict, BackendError> {
    Ok(match (call.standing, action) {
        (Standing::Absent, _) => unknown(),
        (Standing::Check, ErrorAction::Log) => checked(call, protocols)?,
        (Standing::Check, action) => checked(call, protocols)?.with(EPERM, action.answer()),
        (Standing::Allow | Standing::Forbid, _) if gets_around(call) => Verdict::always(EPERM),
        (Standing::Allow | Standing::Forbid, _) => Verdict::always(Answer::Allow),
    })
}

/// What becomes of a call that is refused. What is logged is done as well, so what protects the host is not.
fn refuse(call: &Call, protocols: &[Protocol], action: ErrorAction) -> Result<Verdict, BackendError> {
    Ok(match action {
        ErrorAction::Log if gets_around(call) => Verdict::always(EPERM),
        ErrorAction::Log if call.standing == Standing::Check => {
            checked(call, protocols)?.with(Answer::Allow, Answer::Log)
        }
        _ => Verdict::always(action.answer()),
    })
}

/// By its arguments. A mark without a check would be a hole: refuse.
fn checked(call: &Call, protocols: &[Protocol]) -> Result<Verdict, BackendError> {
    let verdict = arguments::verdict(call.name, protocols)?;
    Ok(verdict.unwrap_or_else(|| Verdict::always(EPERM)))
}

/// A call that may do anything is not done to be logged.
fn decide_unknown(change: Change, action: ErrorAction) -> Verdict {
    Verdict::always(match change {
        Change::Permit => Answer::Allow,
        Change::Refuse(own) => match own.unwrap_or(action) {
            ErrorAction::Log => EPERM,
            action => action.answer(),
        },
    })
}

const EPERM: Answer = Answer::Errno(libc::EPERM);

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        Error::Condition(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Condition(error) => write!(f, "{error}"),
            Error::TooLong => f.write_str("it has more conditions than a filter of the kernel's can hold"),
        }
    }
}
