//! Names of system calls and groups in what the user wrote.

use jail_sys::{Failure, Kind, nearest};

use super::table;

/// Whether the list names this call itself.
pub(crate) fn has(list: &[String], call: &str) -> bool {
    list.iter().any(|name| name == call)
}

/// Whether a group of the list holds this call.
pub(crate) fn groups_have(list: &[String], call: &str) -> bool {
    let mut groups = list.iter().filter_map(|name| table::group(name));
    groups.any(|group| group.members.binary_search(&call).is_ok())
}

/// Whether every name is known.
///
/// # Errors
/// [`Kind::Usage`], naming the first that is not and what it may have been meant to be.
pub(crate) fn check<'a>(option: &str, names: impl IntoIterator<Item = &'a String>) -> Result<(), Failure> {
    names.into_iter().try_for_each(|name| check_name(option, name))
}

fn check_name(option: &str, name: &str) -> Result<(), Failure> {
    if name.is_empty() || name == "@" {
        let failure = invalid(option, "there is an empty name in the list");
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
    let failure = invalid(option, format!("there is no {what} {name}"));
    Err(match nearest {
        Some(nearest) => failure.hint(format!("did you mean {nearest}?")),
        None => failure.hint("syscalls(2) has the names; a group begins with @"),
    })
}

/// What is wrong with an option, in a sentence.
pub(crate) fn invalid(option: &str, why: impl AsRef<str>) -> Failure {
    Failure::new(Kind::Usage, "filter", "parse", option, format!("{option}: {}", why.as_ref()))
}
