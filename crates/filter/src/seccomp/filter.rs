//! `Filter`: a compiled filter, as the kernel takes it and as a plan keeps it.

use std::fmt::Write as _;

use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

use super::action::ErrorAction;
use super::compile::{LONGEST, compile};
use super::item::short;
use super::policy::{Error, Policy};
use super::protocol::Protocol;
use super::rules::Rules;

/// A compiled filter. In a plan it is kept as it is rather than made anew, so that whoever joins a jail later, with
/// whatever version, gets the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filter {
    instructions: Vec<u64>,
}

impl Filter {
    /// The instructions, each one `struct sock_filter` in the kernel's layout.
    pub fn instructions(&self) -> &[u64] {
        &self.instructions
    }
}

/// A filter and what can be said of it in words.
pub(crate) struct Built {
    pub(crate) filter: Filter,
    pub(crate) allowed: usize,
    pub(crate) checked: usize,
}

/// Builds the filter with these rules.
///
/// # Errors
/// [`Kind::Usage`] for one that is longer than the kernel takes.
pub(crate) fn build(rules: &Rules, protocols: &[Protocol], action: ErrorAction) -> Result<Built, Failure> {
    let failure = |error: Error| {
        let (object, kind) = match error {
            Error::TooLong => (short(&rules.option()), Kind::Usage),
            Error::Condition(_) => ("--seccomp".to_owned(), Kind::Failed),
        };
        Failure::new(kind, "filter", "compile", &*object, format!("{object}: {error}"))
    };
    let policy = Policy::new(rules, protocols, action).map_err(failure)?;
    let (allowed, checked) = (policy.allowed, policy.checked);
    let program = compile(policy).map_err(|error| failure(error.into()))?;
    if program.len() > LONGEST {
        return Err(failure(Error::TooLong));
    }
    let instructions = program
        .iter()
        .map(|i| {
            let [a, b] = i.code.to_ne_bytes();
            let [c, d, e, f] = i.k.to_ne_bytes();
            u64::from_ne_bytes([a, b, i.jt, i.jf, c, d, e, f])
        })
        .collect();
    Ok(Built { filter: Filter { instructions }, allowed, checked })
}

impl From<Filter> for String {
    fn from(filter: Filter) -> String {
        let mut text = String::with_capacity(filter.instructions.len() * 16);
        for instruction in filter.instructions {
            // Writing to a String cannot fail.
            let _ = write!(text, "{instruction:016x}");
        }
        text
    }
}

impl TryFrom<String> for Filter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty()
            || text.len() > 16 * LONGEST
            || !text.bytes().all(|digit| digit.is_ascii_hexdigit())
        {
            return Err(format!("a filter is 16 hex digits for each of at most {LONGEST} instructions"));
        }
        let instructions = text
            .as_bytes()
            .chunks(16)
            .map(|digits| {
                let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 16)?;
                u64::from_str_radix(digits, 16).ok()
            })
            .collect::<Option<Vec<_>>>()
            .ok_or("a filter is 16 hex digits for each instruction")?;
        Ok(Filter { instructions })
    }
}
