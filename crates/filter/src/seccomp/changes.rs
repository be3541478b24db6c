//! What the user changes of the default filter: `--seccomp=a,@group,!b`.

use jail_sys::Failure;
use serde::{Deserialize, Serialize};

use super::names;

/// Changes to the default filter, as names of system calls and of groups (which start with `@`).
///
/// A call named itself counts more than a group that holds it; where both say something, what is permitted wins over
/// what is refused, so that `@default,!@mount` means what it reads like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Answered EPERM as well.
    pub refuse: Vec<String>,
    /// Permitted whatever the arguments are.
    pub permit: Vec<String>,
}

/// What is said of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Refuse,
    Permit,
}

impl Changes {
    /// Names separated by commas, each after `!` if it is to be permitted.
    pub(crate) fn read(text: &str) -> Self {
        let mut changes = Changes::default();
        for item in text.split(',') {
            match item.strip_prefix('!') {
                Some(name) => changes.permit.push(name.to_owned()),
                None => changes.refuse.push(item.to_owned()),
            }
        }
        changes
    }

    /// What the changes say of the call with this name.
    pub(crate) fn of(&self, call: &str) -> Option<Change> {
        let (named, grouped) = (|list| names::has(list, call), |list| names::groups_have(list, call));
        if named(&self.permit) {
            Some(Change::Permit)
        } else if named(&self.refuse) {
            Some(Change::Refuse)
        } else if grouped(&self.permit) {
            Some(Change::Permit)
        } else if grouped(&self.refuse) {
            Some(Change::Refuse)
        } else {
            None
        }
    }

    /// Whether every name is known and nothing contradicts itself.
    ///
    /// # Errors
    /// [`Kind::Usage`], naming the item and what it may have been meant to be.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let option = self.option();
        names::check(&option, self.refuse.iter().chain(&self.permit))?;
        match self.refuse.iter().find(|name| self.permit.contains(name)) {
            Some(name) => {
                let why = format!("{name} is refused and permitted");
                Err(names::invalid(&option, why).hint("say one of the two"))
            }
            None => Ok(()),
        }
    }

    /// The option as the user wrote it, or would have.
    pub(crate) fn option(&self) -> String {
        let permit = self.permit.iter().map(|name| format!("!{name}"));
        let items: Vec<_> = self.refuse.iter().cloned().chain(permit).collect();
        format!("--seccomp={}", items.join(","))
    }
}
