//! What the user changes of the default filter: `--seccomp=a,@group,!b`.

use std::str::FromStr;

use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

use super::table;

/// Whether there is a filter on system calls, and what it changes of the default one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeccompSpec {
    /// The default allow-list with these changes.
    On(Changes),
    /// No filter: `--seccomp=none`.
    Off,
}

impl Default for SeccompSpec {
    fn default() -> Self {
        SeccompSpec::On(Changes::default())
    }
}

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

/// What the changes say of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Refuse,
    Permit,
}

impl FromStr for SeccompSpec {
    type Err = Failure;

    /// Reads what follows `--seccomp=`: `none`, or names separated by commas, each after `!` if it is to be permitted.
    fn from_str(text: &str) -> Result<Self, Failure> {
        if text == "none" {
            return Ok(SeccompSpec::Off);
        }
        let mut changes = Changes::default();
        for item in text.split(',') {
            match item.strip_prefix('!') {
                Some(name) => changes.permit.push(name.to_owned()),
                None => changes.refuse.push(item.to_owned()),
            }
        }
        changes.check()?;
        Ok(SeccompSpec::On(changes))
    }
}

impl Changes {
    /// What the changes say of the call with this name.
    pub(crate) fn of(&self, call: &str) -> Option<Change> {
        let named = |names: &[String]| names.iter().any(|name| name == call);
        let grouped = |names: &[String]| {
            names
                .iter()
                .filter_map(|name| table::group(name))
                .any(|group| group.members.binary_search(&call).is_ok())
        };
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
        for name in self.refuse.iter().chain(&self.permit) {
            self.check_name(name)?;
        }
        if let Some(name) = self.refuse.iter().find(|name| self.permit.contains(name)) {
            return Err(self.invalid(format!("{name} is refused and permitted")).hint("say one of the two"));
        }
        self.check_start()
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        if name.is_empty() || name == "@" {
            let failure = self.invalid("there is an empty name in the list");
            return Err(failure.hint("names are separated by single commas"));
        }
        let (what, known, nearest) = if name.starts_with('@') {
            let names = table::GROUPS.iter().map(|group| group.name);
            ("group of system calls", table::group(name).is_some(), nearest(name, names))
        } else {
            let names = table::CALLS.iter().map(|call| call.name);
            ("system call", table::call(name).is_some(), nearest(name, names))
        };
        if known {
            return Ok(());
        }
        let failure = self.invalid(format!("there is no {what} {name}"));
        Err(match nearest {
            Some(nearest) => failure.hint(format!("did you mean {nearest}?")),
            None => failure,
        })
    }

    /// The calls between installing the filter and the command's first instruction must stay possible.
    fn check_start(&self) -> Result<(), Failure> {
        for call in ["execve", "write", "exit_group"] {
            if self.of(call) == Some(Change::Refuse) {
                return Err(self
                    .invalid(format!("{call} cannot be refused: the jail's command is started with it"))
                    .hint(format!("take it off the list, or add !{call} if a group holds it")));
            }
        }
        Ok(())
    }

    /// The option as the user wrote it, or would have.
    fn option(&self) -> String {
        let permit = self.permit.iter().map(|name| format!("!{name}"));
        let items: Vec<_> = self.refuse.iter().cloned().chain(permit).collect();
        format!("--seccomp={}", items.join(","))
    }

    fn invalid(&self, message: impl AsRef<str>) -> Failure {
        let option = self.option();
        let message = format!("{option}: {}", message.as_ref());
        Failure::new(Kind::Usage, "filter", "parse", option, message)
    }
}

/// The name most like `wrong`, if one is like it at all: no more than a third of it to be changed.
fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (distance(wrong, name), name))
        .min()
        .filter(|(distance, _)| *distance <= wrong.len().div_ceil(3))
        .map(|(_, name)| name)
}

/// How many letters to insert, remove, replace or swap with the next to get from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to) = (from.as_bytes(), to.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut cost = (above[j] + usize::from(a != b)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(text: &str) -> Changes {
        match text.parse().unwrap() {
            SeccompSpec::On(changes) => changes,
            SeccompSpec::Off => panic!("off"),
        }
    }

    fn refusal(text: &str) -> String {
        text.parse::<SeccompSpec>().unwrap_err().to_string()
    }

    #[test]
    fn names_and_groups_are_refused_and_exclamation_marks_permit() {
        let changes = changes("uname,@timer,!unshare");
        assert_eq!(changes.of("uname"), Some(Change::Refuse));
        assert_eq!(changes.of("alarm"), Some(Change::Refuse));
        assert_eq!(changes.of("unshare"), Some(Change::Permit));
        assert_eq!(changes.of("read"), None);
    }

    #[test]
    fn a_call_counts_more_than_a_group_and_permission_more_than_refusal() {
        assert_eq!(changes("@timer,!alarm").of("alarm"), Some(Change::Permit));
        assert_eq!(changes("!@timer,alarm").of("alarm"), Some(Change::Refuse));
        assert_eq!(changes("@default,!@mount").of("mount"), Some(Change::Permit));
    }

    #[test]
    fn none_switches_the_filter_off() {
        assert_eq!("none".parse::<SeccompSpec>().unwrap(), SeccompSpec::Off);
    }

    #[test]
    fn a_misspelt_name_is_told_with_the_right_one() {
        assert_eq!(refusal("moutn"), "--seccomp=moutn: there is no system call moutn; did you mean mount?");
        assert_eq!(
            refusal("@moutn,read"),
            "--seccomp=@moutn,read: there is no group of system calls @moutn; did you mean @mount?"
        );
        assert_eq!(refusal("!xyzzy"), "--seccomp=!xyzzy: there is no system call xyzzy");
    }

    #[test]
    fn an_empty_item_is_an_error() {
        for text in ["", "uname,", ",uname", "uname,,alarm", "!", "@", "uname,!"] {
            assert!(refusal(text).contains("empty name"), "{text}");
        }
    }

    #[test]
    fn a_contradiction_is_an_error() {
        assert!(refusal("uname,!uname").contains("uname is refused and permitted"));
    }

    #[test]
    fn what_starts_the_command_cannot_be_refused() {
        assert!(refusal("execve").contains("execve cannot be refused"));
        assert!(refusal("@basic-io").contains("write cannot be refused"));
        assert!(changes("@default-keep,!execve").of("prctl") == Some(Change::Refuse));
    }
}
