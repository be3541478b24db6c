//! `Rules`: which system calls the filter lets through, as the user said it: changes to the default list, or a list of
//! their own.

use std::str::FromStr;

use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

use super::changes::{Change, Changes};
use super::names;
use super::table::{self, CALLS, Call, Standing};
use crate::caps::Caps;

/// Whether there is a filter on system calls, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeccompSpec {
    /// One with these rules.
    On(Rules),
    /// No filter: `--seccomp=none`.
    Off,
}

impl Default for SeccompSpec {
    fn default() -> Self {
        SeccompSpec::On(Rules::default())
    }
}

/// Which system calls are let through. In all of them calls that nobody knows, foreign ABIs, and those that would get
/// around the checks of arguments (`openat2`, `clone3`, io_uring) are refused unless they are named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rules {
    /// Those of the default list, with these changes: `--seccomp=`.
    Default(Changes),
    /// Those of this list, and what starts a command: `--seccomp.keep=`. A call that the default refuses is let through
    /// when it is named itself, not for a group that holds it; where the default looks at arguments, so does this.
    Keep(Vec<String>),
    /// All but those of this list: `--seccomp.drop=`. Arguments are looked at as by default.
    Drop(Vec<String>),
}

impl Default for Rules {
    fn default() -> Self {
        Rules::Default(Changes::default())
    }
}

/// What is called between installing the filter and the command's first instruction.
const START: [&str; 4] = ["execve", "execveat", "write", "exit_group"];

/// What does the work of other calls unseen.
const AROUND: [&str; 3] = ["io_uring_setup", "io_uring_enter", "io_uring_register"];

/// Whether it could do, unseen, what other calls are refused for their arguments.
pub(crate) fn gets_around(call: &Call) -> bool {
    call.standing == Standing::Absent || AROUND.contains(&call.name)
}

impl FromStr for SeccompSpec {
    type Err = Failure;

    /// Reads what follows `--seccomp=`: `none`, or names separated by commas, each after `!` if it is to be permitted.
    fn from_str(text: &str) -> Result<Self, Failure> {
        if text == "none" {
            return Ok(SeccompSpec::Off);
        }
        refuse_none_among(text)?;
        let rules = Rules::Default(Changes::read(text));
        rules.check()?;
        Ok(SeccompSpec::On(rules))
    }
}

impl Rules {
    /// Reads what follows `--seccomp.keep=`.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`] for a name that is unknown, or a list without what starts a command.
    pub fn keep(text: &str) -> Result<Self, Failure> {
        let rules = Rules::Keep(list(text));
        rules.check().map(|()| rules)
    }

    /// Reads what follows `--seccomp.drop=`.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`] for a name that is unknown, or a list without what starts a command.
    pub fn drop(text: &str) -> Result<Self, Failure> {
        let rules = Rules::Drop(list(text));
        rules.check().map(|()| rules)
    }

    /// What the rules say of a call; `None` is what the default says.
    pub(crate) fn of(&self, call: &Call) -> Option<Change> {
        match self {
            Rules::Default(changes) => changes.of(call.name),
            Rules::Keep(kept) => {
                let closed = matches!(call.standing, Standing::Forbid | Standing::Absent);
                match names::has(kept, call.name) {
                    true if closed => Some(Change::Permit),
                    true => None,
                    false if names::groups_have(kept, call.name) || starts(call.name) => None,
                    false => Some(Change::Refuse),
                }
            }
            Rules::Drop(dropped) => {
                let refused = names::has(dropped, call.name) || names::groups_have(dropped, call.name);
                match call.standing {
                    _ if refused => Some(Change::Refuse),
                    Standing::Forbid if !gets_around(call) => Some(Change::Permit),
                    _ => None,
                }
            }
        }
    }

    /// The same for a jail that keeps these capabilities: one that is good for a single call would be for nothing where
    /// that is refused.
    pub(crate) fn for_capabilities(mut self, caps: Caps) -> Self {
        const CALL: &str = "chroot";
        if let Rules::Default(changes) = &mut self
            && changes.of(CALL).is_none()
            && caps.names().any(|name| name == "sys_chroot")
        {
            changes.permit.push(CALL.to_owned());
        }
        self
    }

    /// A call that is let through although the default refuses it, or looks at its arguments.
    pub(crate) fn wider(&self) -> Option<&'static str> {
        let wider = |call: &&Call| call.standing != Standing::Allow && self.of(call) == Some(Change::Permit);
        CALLS.iter().find(wider).map(|call| call.name)
    }

    /// Whether every name is known, nothing contradicts itself, and a command can be started.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`], naming the item and what it may have been meant to be.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self {
            Rules::Default(changes) => changes.check()?,
            Rules::Keep(list) | Rules::Drop(list) => names::check(&self.option(), list)?,
        }
        let refused =
            |name: &&&str| table::call(name).is_some_and(|call| self.of(call) == Some(Change::Refuse));
        match START.iter().find(refused) {
            None => Ok(()),
            Some(call) => {
                let why = format!("{call} cannot be refused: the jail's command is started with it");
                let permit = format!("take it off the list, or add !{call} if a group holds it");
                let hint = if matches!(self, Rules::Default(_)) { &permit } else { "take it off the list" };
                Err(names::invalid(&self.option(), why).hint(hint))
            }
        }
    }

    /// The option as the user wrote it, or would have.
    pub(crate) fn option(&self) -> String {
        match self {
            Rules::Default(changes) => changes.option(),
            Rules::Keep(list) => format!("--seccomp.keep={}", list.join(",")),
            Rules::Drop(list) => format!("--seccomp.drop={}", list.join(",")),
        }
    }
}

/// What a command needs to start, and what Firejail keeps for it.
fn starts(call: &str) -> bool {
    START.contains(&call) || names::groups_have(&["@default-keep".to_owned()], call)
}

/// `none` beside other names would be anything but what one of them says.
fn refuse_none_among(text: &str) -> Result<(), Failure> {
    let (none, others): (Vec<_>, Vec<_>) = text.split(',').partition(|name| *name == "none");
    let message = match (none.as_slice(), others.as_slice()) {
        ([], _) => return Ok(()),
        (_, []) => "--seccomp=none is given twice".to_owned(),
        _ => format!("--seccomp=none and --seccomp={} contradict each other", others.join(",")),
    };
    Err(Failure::new(Kind::Usage, "filter", "parse", "--seccomp=none", message).hint("leave one of them out"))
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Rules {
        match text.parse().unwrap() {
            SeccompSpec::On(rules) => rules,
            SeccompSpec::Off => panic!("off"),
        }
    }

    fn of(rules: &Rules, call: &str) -> Option<Change> {
        rules.of(table::call(call).unwrap())
    }

    fn refusal(text: &str) -> String {
        text.parse::<SeccompSpec>().unwrap_err().to_string()
    }

    #[test]
    fn names_and_groups_are_refused_and_exclamation_marks_permit() {
        let changes = rules("uname,@timer,!unshare");
        assert_eq!(of(&changes, "uname"), Some(Change::Refuse));
        assert_eq!(of(&changes, "alarm"), Some(Change::Refuse));
        assert_eq!(of(&changes, "unshare"), Some(Change::Permit));
        assert_eq!(of(&changes, "read"), None);
    }

    #[test]
    fn a_call_counts_more_than_a_group_and_permission_more_than_refusal() {
        assert_eq!(of(&rules("@timer,!alarm"), "alarm"), Some(Change::Permit));
        assert_eq!(of(&rules("!@timer,alarm"), "alarm"), Some(Change::Refuse));
        assert_eq!(of(&rules("@default,!@mount"), "mount"), Some(Change::Permit));
    }

    #[test]
    fn a_list_of_what_is_kept_refuses_the_rest_but_not_the_start() {
        let keep = Rules::keep("read,@process,mount,chmod").unwrap();
        assert_eq!(of(&keep, "mmap"), Some(Change::Refuse));
        assert_eq!(of(&keep, "execveat"), None);
        assert_eq!(of(&keep, "mount"), Some(Change::Permit), "it was named itself");
        assert_eq!(of(&keep, "unshare"), None, "a group opens nothing that is closed by default");
        assert_eq!(of(&keep, "chmod"), None, "its arguments are still looked at");
    }

    #[test]
    fn a_list_of_what_is_dropped_permits_the_rest_but_nothing_that_gets_around_the_argument_checks() {
        let drop = Rules::drop("mount,@keyring").unwrap();
        for refused in ["mount", "keyctl"] {
            assert_eq!(of(&drop, refused), Some(Change::Refuse), "{refused}");
        }
        assert_eq!(of(&drop, "ptrace"), Some(Change::Permit));
        for as_by_default in ["read", "chmod", "openat2", "clone3", "io_uring_setup"] {
            assert_eq!(of(&drop, as_by_default), None, "{as_by_default}");
        }
        assert!(
            Rules::drop("execveat").unwrap_err().to_string().contains("--seccomp.drop=execveat: execveat")
        );
    }

    #[test]
    fn no_filter_and_a_list_contradict_each_other_in_either_order() {
        for (wrong, why) in [
            ("none,mount", "--seccomp=none and --seccomp=mount contradict each other"),
            ("mount,!unshare,none", "--seccomp=none and --seccomp=mount,!unshare contradict each other"),
            ("none,none", "--seccomp=none is given twice"),
        ] {
            assert_eq!(refusal(wrong), format!("{why}; leave one of them out"));
        }
    }

    #[test]
    fn only_what_opens_more_than_the_default_is_wider_than_it() {
        for narrower in ["", "uname,@timer", "!read"] {
            let rules = if narrower.is_empty() { Rules::default() } else { rules(narrower) };
            assert_eq!(rules.wider(), None, "{narrower}");
        }
        assert_eq!(Rules::keep("read,@mount").unwrap().wider(), None);
        assert_eq!(Rules::keep("read,mount").unwrap().wider(), Some("mount"));
        assert_eq!(rules("!chmod").wider(), Some("chmod"));
        assert!(Rules::drop("uname").unwrap().wider().is_some());
    }

    #[test]
    fn who_keeps_the_capability_of_chroot_may_call_it_unless_that_is_refused() {
        let caps = Caps::try_from(vec!["sys_chroot".to_owned()]).unwrap();
        let of = |rules: Rules| of(&rules.for_capabilities(caps), "chroot");
        assert_eq!(of(Rules::default()), Some(Change::Permit));
        assert_eq!(of(rules("@mount")), Some(Change::Refuse));
        assert_eq!(of(Rules::keep("read").unwrap()), Some(Change::Refuse));
        assert_eq!(Rules::default().for_capabilities(Caps::default()), Rules::default());
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
        assert_eq!(
            refusal("!xyzzy"),
            "--seccomp=!xyzzy: there is no system call xyzzy; syscalls(2) has the names; a group begins with @"
        );
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
        assert!(of(&rules("@default-keep,!execve,!execveat"), "prctl") == Some(Change::Refuse));
    }
}
