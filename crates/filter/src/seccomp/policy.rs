//! The policy: the table, the argument checks and the user's rules become one verdict per system call number.

use std::collections::BTreeMap;

use super::arguments;
use super::changes::Change;
use super::protocol::Protocol;
use super::rules::{Rules, gets_around};
use super::table::{CALLS, Call, Standing};
use super::verdict::{Answer, ErrorAction, Verdict};

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

impl Policy {
    /// The policy that these rules say.
    ///
    /// # Errors
    /// A condition that cannot be compiled.
    pub(crate) fn new(
        rules: &Rules,
        protocols: &[Protocol],
        action: ErrorAction,
    ) -> Result<Self, seccompiler::BackendError> {
        let mut policy = Policy { from: BTreeMap::new(), allowed: 0, checked: 0 };
        policy.from.insert(0, unknown());
        for call in CALLS {
            let Some(number) = call.number else { continue };
            let verdict = decide(call, rules, protocols, action)?;
            policy.allowed += usize::from(!verdict.cases.is_empty() || verdict.otherwise == Answer::Allow);
            policy.checked += usize::from(!verdict.cases.is_empty());
            policy.from.insert(number, verdict);
            policy.from.entry(number + 1).or_insert_with(unknown);
        }
        #[cfg(target_arch = "x86_64")]
        {
            policy.from.insert(X32, Verdict::always(Answer::Kill));
            // -1 is what a tracer leaves behind to skip a call, not x32.
            policy.from.insert(u32::MAX, unknown());
        }
        Ok(policy)
    }
}

fn unknown() -> Verdict {
    Verdict::always(Answer::Errno(libc::ENOSYS))
}

fn decide(
    call: &Call,
    rules: &Rules,
    protocols: &[Protocol],
    action: ErrorAction,
) -> Result<Verdict, seccompiler::BackendError> {
    let checked = || {
        // A mark without a check would be a hole: refuse.
        let refuse = || Verdict::always(Answer::Errno(libc::EPERM));
        arguments::verdict(call.name, protocols).map(|verdict| verdict.unwrap_or_else(refuse))
    };
    Ok(match (rules.of(call), call.standing) {
        (Some(Change::Permit), _) | (None, Standing::Allow) => Verdict::always(Answer::Allow),
        (None, Standing::Absent) => Verdict::always(Answer::Errno(libc::ENOSYS)),
        (None, Standing::Check) => match action {
            ErrorAction::Kill => checked()?.with(Answer::Errno(libc::EPERM), Answer::Kill),
            ErrorAction::Eperm | ErrorAction::Log => checked()?,
        },
        // What is logged is done as well, so what protects the host is not.
        (_, Standing::Check) if action == ErrorAction::Log => checked()?.with(Answer::Allow, Answer::Log),
        _ if action == ErrorAction::Log && gets_around(call) => Verdict::always(Answer::Errno(libc::EPERM)),
        _ => Verdict::always(action.answer()),
    })
}
