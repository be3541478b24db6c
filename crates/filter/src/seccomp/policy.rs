//! The policy: the table, the argument checks and the user's changes become one verdict per system call number.

use std::collections::BTreeMap;

use super::arguments;
use super::changes::{Change, Changes};
use super::protocol::Protocol;
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

impl Policy {
    /// The default policy with these changes.
    ///
    /// # Errors
    /// A condition that cannot be compiled.
    pub(crate) fn new(changes: &Changes, protocols: &[Protocol]) -> Result<Self, seccompiler::BackendError> {
        let mut policy = Policy { from: BTreeMap::new(), allowed: 0, checked: 0 };
        policy.from.insert(0, unknown());
        for call in CALLS {
            let Some(number) = call.number else { continue };
            let verdict = decide(call, changes, protocols)?;
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
    changes: &Changes,
    protocols: &[Protocol],
) -> Result<Verdict, seccompiler::BackendError> {
    let answer = match (changes.of(call.name), call.standing) {
        (Some(Change::Permit), _) | (None, Standing::Allow) => Answer::Allow,
        (Some(Change::Refuse), _) | (None, Standing::Forbid) => Answer::Errno(libc::EPERM),
        (None, Standing::Absent) => Answer::Errno(libc::ENOSYS),
        (None, Standing::Check) => {
            // A mark without a check would be a hole: refuse.
            let refuse = || Verdict::always(Answer::Errno(libc::EPERM));
            return Ok(arguments::verdict(call.name, protocols)?.unwrap_or_else(refuse));
        }
    };
    Ok(Verdict::always(answer))
}
