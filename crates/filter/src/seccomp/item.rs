//! An item of a list of system calls: what it names, and what becomes of that.

use std::fmt;

use jail_sys::{Failure, Kind, nearest, printable};
use serde::{Deserialize, Serialize};

use super::action::ErrorAction;
use super::table::{self, Call, Group};

/// The largest number a list takes: the kernel has come to 470 in its first 34 years.
const LARGEST: u32 = 1023;

/// Numbers that only the x32 ABI has; no call of the native one will ever get them.
#[cfg(target_arch = "x86_64")]
const X32_ONLY: std::ops::RangeInclusive<u32> = 512..=547;

/// System calls by their name, by a group's (`@mount`), or by number (`165` or, like Firejail's, `$165`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target {
    text: String,
    pub(crate) what: What,
}

/// What is meant by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Call(&'static Call),
    Group(&'static Group),
    /// A number that the table has no name for.
    Number(u32),
}

impl Target {
    /// Whether it is this call itself.
    pub(crate) fn names(&self, call: &Call) -> bool {
        matches!(self.what, What::Call(named) if named.name == call.name)
    }

    /// The group, where it is one.
    pub(crate) fn group(&self) -> Option<&'static Group> {
        match self.what {
            What::Group(group) => Some(group),
            What::Call(_) | What::Number(_) => None,
        }
    }

    /// A call that needs no reading.
    pub(crate) fn of(call: &'static Call) -> Self {
        Target { text: call.name.to_owned(), what: What::Call(call) }
    }

    /// As a plan shows it: a number with the name it stands for.
    pub(crate) fn shown(&self) -> String {
        match self.what {
            What::Call(call) if call.name != self.text => format!("{} ({})", self.text, call.name),
            What::Number(_) => format!("{} (no call that jail knows)", self.text),
            _ => self.text.clone(),
        }
    }

    /// What is wrong with a text that is none, and what to do about it.
    fn read(text: &str) -> Result<Self, (String, String)> {
        if text.is_empty() || text == "@" || text == "$" {
            let why = "there is an empty name in the list".to_owned();
            return Err((why, "names are separated by single commas".to_owned()));
        }
        let what = if text.starts_with('@') {
            let names = || table::GROUPS.iter().map(|group| group.name);
            table::group(text)
                .map(What::Group)
                .ok_or_else(|| unknown("group of system calls", text, nearest(text, names())))?
        } else if text.starts_with(['$', '-', '+']) || text.starts_with(|first: char| first.is_ascii_digit())
        {
            numbered(text)?
        } else {
            let names = || table::CALLS.iter().map(|call| call.name);
            table::call(text)
                .map(What::Call)
                .ok_or_else(|| unknown("system call", text, nearest(text, names())))?
        };
        Ok(Target { text: text.to_owned(), what })
    }
}

fn unknown(what: &str, name: &str, nearest: Option<&str>) -> (String, String) {
    let hint = match nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => "syscalls(2) has the names; a group begins with @".to_owned(),
    };
    (format!("there is no {what} {}", short(name)), hint)
}

/// The call with this number, or the number alone.
fn numbered(text: &str) -> Result<What, (String, String)> {
    let digits = text.strip_prefix('$').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.parse().ok().filter(|number| is_number && *number <= LARGEST);
    let Some(number) = number else {
        let why = format!("{} is not the number of a system call", short(text));
        return Err((why, format!("they go from 0 to {LARGEST}, like 165 or '$165'")));
    };
    #[cfg(target_arch = "x86_64")]
    if X32_ONLY.contains(&number) {
        let why = format!("{text} is a number of the x32 ABI, whose calls end the process");
        return Err((why, "take it off the list".to_owned()));
    }
    let known = table::CALLS.iter().find(|call| call.number == Some(number));
    Ok(known.map_or(What::Number(number), What::Call))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Target> for String {
    fn from(target: Target) -> String {
        target.text
    }
}

impl TryFrom<String> for Target {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Target::read(&text).map_err(|(why, _)| why)
    }
}

/// What is refused, and what becomes of it where that is said: `mount`, `@mount:ENOSYS`, `165:kill`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Item {
    /// What it is about.
    pub target: Target,
    /// What becomes of that call; what becomes of every refused one where it does not say.
    pub action: Option<ErrorAction>,
}

impl Item {
    fn read(text: &str) -> Result<Self, (String, String)> {
        let (target, action) = match text.split_once(':') {
            Some((target, action)) => (target, Some(action)),
            None => (text, None),
        };
        let target = Target::read(target)?;
        let action = action.map(str::parse).transpose().map_err(|why| {
            (format!("{} has no such action: {why}", short(text)), "leave it out for EPERM".to_owned())
        })?;
        Ok(Item { target, action })
    }

    /// As a plan shows it.
    pub(crate) fn shown(&self) -> String {
        match self.action {
            Some(action) => format!("{}:{}", self.target.shown(), action.name()),
            None => self.target.shown(),
        }
    }

    /// Whether what it is about runs all the same.
    pub(crate) fn only_logs(&self) -> bool {
        self.action == Some(ErrorAction::Log)
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.action {
            Some(action) => write!(f, "{}:{}", self.target, action.name()),
            None => self.target.fmt(f),
        }
    }
}

impl From<Item> for String {
    fn from(item: Item) -> String {
        item.to_string()
    }
}

impl TryFrom<String> for Item {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Item::read(&text).map_err(|(why, _)| why)
    }
}

/// Reads items separated by commas, with what stands before each: a `!` or nothing.
///
/// # Errors
/// [`Kind::Usage`], naming the first item that is none and what it may have been meant to be.
pub(crate) fn list(option: &str, text: &str) -> Result<Vec<(bool, Item)>, Failure> {
    let read = |text: &str| {
        let (excepted, text) = match text.strip_prefix('!') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let item = Item::read(text).map_err(|(why, hint)| invalid(option, why).hint(hint))?;
        Ok((excepted, item))
    };
    text.split(',').map(read).collect()
}

/// Whether no call of the list has two actions, whether it is named or a group holds it. Of two groups that hold a call
/// the one that is part of the other counts, as a call that is named counts more than a group.
///
/// # Errors
/// [`Kind::Usage`], naming the two items.
pub(crate) fn check_actions(option: &str, items: &[Item]) -> Result<(), Failure> {
    for (at, one) in items.iter().enumerate() {
        for other in items[..at].iter().filter(|other| other.action != one.action) {
            if let Some(call) = is_in_doubt(one, other) {
                let why = format!("{other} and {one} say two things of {call}");
                let hint = match one.target.what == other.target.what {
                    true => "say one of the two".to_owned(),
                    false => format!("say one, or name {call} itself"),
                };
                return Err(invalid(option, why).hint(hint));
            }
        }
    }
    Ok(())
}

/// What two items are both about, if neither counts more there.
fn is_in_doubt(one: &Item, other: &Item) -> Option<String> {
    match (one.target.what, other.target.what) {
        (What::Group(one), What::Group(other)) => {
            let larger = one.members.len() != other.members.len();
            let counts_more = larger && (one.is_part_of(other) || other.is_part_of(one));
            let both = one.members.iter().find(|call| other.members.contains(call));
            both.filter(|_| !counts_more).map(|&call| call.to_owned())
        }
        (a, b) => (a == b).then(|| one.target.to_string()),
    }
}

/// What the items say of a call: a call that is named counts more than a group that holds it, and a small group more
/// than a large one.
pub(crate) fn find<'a>(items: &'a [Item], call: &Call) -> Option<&'a Item> {
    items.iter().find(|item| item.target.names(call)).or_else(|| {
        let groups = items.iter().filter_map(|item| Some((item.target.group()?, item)));
        let holding = groups.filter(|(group, _)| group.holds(call));
        holding.min_by_key(|(group, _)| group.members.len()).map(|(_, item)| item)
    })
}

/// Items as an option takes them.
pub(crate) fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

/// What is wrong with an option, in a sentence.
pub(crate) fn invalid(option: &str, why: impl AsRef<str>) -> Failure {
    let option = short(option);
    let message = format!("{option}: {}", why.as_ref());
    Failure::new(Kind::Usage, "filter", "parse", option, message)
}

/// The text in a sentence: no longer than one can read, and nothing in it that a terminal would obey.
pub(crate) fn short(text: &str) -> String {
    const ENOUGH: usize = 200;
    let mut kept: String = text.chars().take(ENOUGH).collect();
    if kept.len() < text.len() {
        kept.push_str("...");
    }
    printable(&kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_number_is_the_call_that_has_it() {
        let exit = table::call("exit_group").unwrap();
        let number = exit.number.unwrap();
        for text in [format!("{number}"), format!("${number}"), format!("0{number}")] {
            assert!(target(&text).names(exit), "{text}");
            assert_eq!(target(&text).shown(), format!("{text} (exit_group)"));
        }
        assert_eq!(target("$1000").what, What::Number(1000));
        assert_eq!(target("1000").shown(), "1000 (no call that jail knows)");
    }

    #[test]
    fn what_cannot_be_a_number_of_a_call_is_none() {
        for wrong in [
            "-1",
            "$-1",
            "+5",
            "1024",
            "4294967295",
            "4294967296",
            "1073741824",
            "0x10",
            "1e3",
            "$",
            "$$5",
            "1 ",
            "5mount",
            "99999999999999999999999999",
        ] {
            assert!(Target::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        #[cfg(target_arch = "x86_64")]
        assert!(Target::try_from("520".to_owned()).unwrap_err().contains("x32"));
    }

    #[test]
    fn an_item_is_stored_as_it_was_typed() {
        for text in ["mount", "@mount:kill", "$165:EPERM", "165", "1000:log"] {
            let item = Item::try_from(text.to_owned()).unwrap();
            assert_eq!(serde_json::to_string(&item).unwrap(), format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Item>(&format!("{text:?}")).unwrap(), item);
        }
    }

    #[test]
    fn what_is_much_too_long_is_told_in_short() {
        let failure = list("--seccomp", &"x".repeat(10 << 20)).unwrap_err();
        assert!(failure.to_string().len() < 500, "{}", failure.to_string().len());
        assert!(!list("--seccomp", "\u{1b}[2J").unwrap_err().to_string().contains('\u{1b}'));
    }
}
