//! `Rules`: which system calls the filter lets through, as the user said it: changes to the default list, or a list of
//! their own.

use std::collections::BTreeMap;
use std::str::FromStr;

use jail_sys::{Failure, Kind, short};
use serde::{Deserialize, Serialize};

use super::action::ErrorAction;
use super::changes::{Change, Changes};
use super::item::{self, Item, Target, What, invalid, joined};
use super::profile::Profile;
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
    Keep(Vec<Target>),
    /// All but those of this list: `--seccomp.drop=`. Arguments are looked at as by default.
    Drop(Vec<Item>),
    /// Those of a profile in the place of the default list, with these changes: `--seccomp-profile=`. Arguments are
    /// looked at as by default as well; a call that is in the changes is decided by them.
    Profile(Box<Profile>, Changes),
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

    /// Reads what follows `--seccomp=`: `none`, or items separated by commas, each after `!` if it is to be permitted.
    fn from_str(text: &str) -> Result<Self, Failure> {
        if text == "none" {
            return Ok(SeccompSpec::Off);
        }
        refuse_none_among(text)?;
        let rules = Rules::Default(Changes::read(text)?);
        rules.check()?;
        Ok(SeccompSpec::On(rules))
    }
}

impl Rules {
    /// Reads what follows `--seccomp.keep=`.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`] for a name that is unknown, or an item that says what becomes of a refused call.
    pub fn keep(text: &str) -> Result<Self, Failure> {
        let option = format!("--seccomp.keep={text}");
        let keep = |item: Item| match item.action {
            None => Ok(item.target),
            Some(_) => {
                let why =
                    format!("{item} says what becomes of a refused call, and this is the list of those kept");
                Err(invalid(&option, why).hint(format!("say {}", item.target)))
            }
        };
        let kept = without_exceptions(&option, text)?.into_iter().map(keep).collect::<Result<_, _>>()?;
        let rules = Rules::Keep(kept);
        rules.check().map(|()| rules)
    }

    /// Reads what follows `--seccomp.drop=`.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`] for a name that is unknown, or a list with what starts a command.
    pub fn drop(text: &str) -> Result<Self, Failure> {
        let rules = Rules::Drop(without_exceptions(&format!("--seccomp.drop={text}"), text)?);
        rules.check().map(|()| rules)
    }

    /// These rules with a profile in the place of the default list.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`] for rules that are a list of their own.
    pub fn with_profile(self, profile: Profile) -> Result<Self, Failure> {
        match self {
            Rules::Default(changes) => Ok(Rules::Profile(Box::new(profile), changes)),
            other => {
                let (one, other) = (short(&profile.option()), short(&other.option()));
                let message = format!("{one} and {other} contradict each other");
                Err(Failure::new(Kind::Usage, "filter", "parse", one, message).hint("leave one of them out"))
            }
        }
    }

    /// What the rules say of a call; `None` is what the default or the profile says.
    pub(crate) fn of(&self, call: &Call) -> Option<Change> {
        match self {
            Rules::Default(changes) | Rules::Profile(_, changes) => changes.of(call),
            Rules::Keep(kept) => {
                let closed = matches!(call.standing, Standing::Forbid | Standing::Absent);
                let holds = |target: &Target| target.group().is_some_and(|group| group.holds(call));
                match kept.iter().any(|target| target.names(call)) {
                    true if closed => Some(Change::Permit),
                    true => None,
                    false if kept.iter().any(holds) || starts(call) => None,
                    false => Some(Change::Refuse(None)),
                }
            }
            Rules::Drop(dropped) => match item::find(dropped, call) {
                Some(item) => Some(Change::Refuse(item.action)),
                None if call.standing == Standing::Forbid && !gets_around(call) => Some(Change::Permit),
                None => None,
            },
        }
    }

    /// What they say of numbers that have no name: calls of a kernel that is newer than the table.
    pub(crate) fn numbers(&self) -> BTreeMap<u32, Change> {
        match self {
            Rules::Default(changes) | Rules::Profile(_, changes) => changes.numbers(),
            Rules::Keep(kept) => Changes { permit: kept.clone(), ..Changes::default() }.numbers(),
            Rules::Drop(dropped) => Changes { refuse: dropped.clone(), ..Changes::default() }.numbers(),
        }
    }

    /// Whether this call runs whatever its arguments are. What it would do is then not looked at.
    pub(crate) fn permits(&self, call: &str) -> bool {
        table::call(call).is_some_and(|call| self.of(call) == Some(Change::Permit))
    }

    /// Whether a call is let through that jail does not know, and which may do anything.
    pub(crate) fn permits_unknown(&self) -> Option<u32> {
        self.numbers().into_iter().find(|(_, change)| *change == Change::Permit).map(|(number, _)| number)
    }

    /// The same for a jail that keeps these capabilities, on this kernel: a profile asks for both.
    ///
    /// # Errors
    /// A kernel that does not tell its release.
    pub(crate) fn resolve(self, caps: Caps) -> Result<Self, Failure> {
        Ok(match self {
            Rules::Profile(profile, changes) => Rules::Profile(Box::new(profile.resolve(caps)?), changes),
            others => others,
        })
    }

    /// The same for a jail that keeps these capabilities: one that is good for a single call would be for nothing where
    /// that is refused.
    pub(crate) fn for_capabilities(mut self, caps: Caps) -> Self {
        if let Rules::Default(changes) = &mut self
            && let Some(call) = table::call("chroot")
            && changes.of(call).is_none()
            && caps.names().any(|name| name == "sys_chroot")
        {
            changes.permit.push(Target::of(call));
        }
        self
    }

    /// A call that is let through although the default refuses it, or looks at its arguments; and the option that does.
    pub(crate) fn wider(&self) -> Option<(String, String)> {
        self.wider_among(|_| true).or_else(|| {
            let number = self.permits_unknown()?;
            Some((format!("call {number}, which jail does not know,"), self.list()))
        })
    }

    /// The same among the calls that have to do with keys.
    pub(crate) fn opens_keys(&self) -> Option<(String, String)> {
        let keys = table::group("@keyring");
        self.wider_among(|call| keys.is_some_and(|keys| keys.holds(call)))
    }

    fn wider_among(&self, is_asked: impl Fn(&Call) -> bool) -> Option<(String, String)> {
        let wider = |call: &&Call| match (call.standing, self.of(call)) {
            (Standing::Allow, _) => false,
            (_, Some(Change::Permit)) => true,
            // What is logged is done; see the policy for what is not.
            (Standing::Forbid, Some(Change::Refuse(action))) => {
                action == Some(ErrorAction::Log) && !gets_around(call)
            }
            (Standing::Forbid, None) => !gets_around(call) && self.profile_lets_through(call),
            _ => false,
        };
        let option = |call: &Call| if self.of(call).is_some() { self.list() } else { self.option() };
        let found = CALLS.iter().filter(|call| is_asked(call)).find(wider);
        found.map(|call| (call.name.to_owned(), option(call)))
    }

    fn profile_lets_through(&self, call: &Call) -> bool {
        matches!(self, Rules::Profile(profile, _) if profile.lets_through(call.name))
    }

    /// Whether nothing contradicts itself, and a command can be started.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`], naming the item.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self {
            Rules::Default(changes) => self.check_changes(changes)?,
            Rules::Profile(profile, changes) => {
                profile.check()?;
                self.check_changes(changes)?;
            }
            Rules::Keep(_) => {}
            Rules::Drop(list) => {
                item::check_actions(&self.option(), list)?;
                self.check_logged(list)?;
            }
        }
        let refused = |name: &&&str| {
            let change = table::call(name).and_then(|call| self.of(call));
            matches!(change, Some(Change::Refuse(action)) if action != Some(ErrorAction::Log))
        };
        match START.iter().find(refused) {
            None => Ok(()),
            Some(call) => {
                let why = format!("{call} cannot be refused: the jail's command is started with it");
                let permit = format!("take it off the list, or add !{call} if a group holds it");
                let is_list = matches!(self, Rules::Keep(_) | Rules::Drop(_));
                let hint = if is_list { "take it off the list" } else { &permit };
                Err(invalid(&self.list(), why).hint(hint))
            }
        }
    }

    fn check_changes(&self, changes: &Changes) -> Result<(), Failure> {
        changes.check()?;
        self.check_logged(&changes.refuse)
    }

    /// What is logged is done, so that nothing may be logged by name which would get around what protects the host.
    fn check_logged(&self, items: &[Item]) -> Result<(), Failure> {
        let around = |item: &&Item| match item.target.what {
            What::Call(call) => gets_around(call),
            What::Number(_) => true,
            What::Group(_) => false,
        };
        match items.iter().filter(|item| item.only_logs()).find(around) {
            None => Ok(()),
            Some(item) => {
                let why = format!("{item} would let it through, and its arguments cannot be looked at");
                let permit = match self {
                    Rules::Drop(_) => format!("leave it out: {} is refused by default", item.target),
                    _ => format!("say !{} to permit it all the same", item.target),
                };
                Err(invalid(&self.list(), why).hint(permit))
            }
        }
    }

    /// Whether the profile lets a command start. For one whose rules for other capabilities and kernels are gone.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Invalid`], naming the profile.
    pub(crate) fn check_profile_starts(&self) -> Result<(), Failure> {
        let Rules::Profile(profile, _) = self else { return Ok(()) };
        let needed = |name: &&&str| {
            table::call(name).is_some_and(|call| self.of(call).is_none()) && !profile.always_runs(name)
        };
        match START.iter().find(needed) {
            None => Ok(()),
            Some(call) => {
                let why =
                    format!("it does not let {call} through, and the jail's command is started with it");
                let hint = format!("let it through there, or say --seccomp=!{call} as well");
                Err(profile.wrong(why).hint(hint))
            }
        }
    }

    /// The option as the user wrote it, or would have.
    pub(crate) fn option(&self) -> String {
        match self {
            Rules::Profile(profile, _) => profile.option(),
            others => others.list(),
        }
    }

    /// The option that has a list.
    fn list(&self) -> String {
        match self {
            Rules::Default(changes) | Rules::Profile(_, changes) => changes.option(),
            Rules::Keep(list) => format!("--seccomp.keep={}", joined(list)),
            Rules::Drop(list) => format!("--seccomp.drop={}", joined(list)),
        }
    }
}

/// The items of a list that has no exceptions.
fn without_exceptions(option: &str, text: &str) -> Result<Vec<Item>, Failure> {
    let items = item::list(option, text)?;
    match items.iter().find(|(excepted, _)| *excepted) {
        None => Ok(items.into_iter().map(|(_, item)| item).collect()),
        Some((_, item)) => {
            let why = format!("!{item} is an exception, and such a list has none");
            Err(invalid(option, why)
                .hint(format!("leave !{item} out, or change the default: --seccomp=!{item}")))
        }
    }
}

/// What a command needs to start, and what Firejail keeps for it.
fn starts(call: &Call) -> bool {
    START.contains(&call.name) || table::group("@default-keep").is_some_and(|group| group.holds(call))
}

/// `none` beside other names would be anything but what one of them says.
fn refuse_none_among(text: &str) -> Result<(), Failure> {
    let (none, others): (Vec<_>, Vec<_>) = text.split(',').partition(|name| *name == "none");
    let message = match (none.as_slice(), others.as_slice()) {
        ([], _) => return Ok(()),
        (_, []) => "--seccomp=none is given twice".to_owned(),
        _ => format!(
            "--seccomp=none and {} contradict each other",
            short(&format!("--seccomp={}", others.join(",")))
        ),
    };
    Err(Failure::new(Kind::Usage, "filter", "parse", "--seccomp=none", message).hint("leave one of them out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSE: Option<Change> = Some(Change::Refuse(None));

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
        assert_eq!(of(&changes, "uname"), REFUSE);
        assert_eq!(of(&changes, "alarm"), REFUSE);
        assert_eq!(of(&changes, "unshare"), Some(Change::Permit));
        assert_eq!(of(&changes, "read"), None);
    }

    #[test]
    fn a_call_counts_more_than_a_group_and_permission_more_than_refusal() {
        assert_eq!(of(&rules("@timer,!alarm"), "alarm"), Some(Change::Permit));
        assert_eq!(of(&rules("!@timer,alarm"), "alarm"), REFUSE);
        assert_eq!(of(&rules("@default,!@mount"), "mount"), Some(Change::Permit));
    }

    #[test]
    fn a_list_of_what_is_kept_refuses_the_rest_but_not_the_start() {
        let keep = Rules::keep("read,@process,mount,chmod").unwrap();
        assert_eq!(of(&keep, "mmap"), REFUSE);
        assert_eq!(of(&keep, "execveat"), None);
        assert_eq!(of(&keep, "mount"), Some(Change::Permit), "it was named itself");
        assert_eq!(of(&keep, "unshare"), None, "a group opens nothing that is closed by default");
        assert_eq!(of(&keep, "chmod"), None, "its arguments are still looked at");
    }

    #[test]
    fn a_list_of_what_is_dropped_permits_the_rest_but_nothing_that_gets_around_the_argument_checks() {
        let drop = Rules::drop("mount,@keyring").unwrap();
        for refused in ["mount", "keyctl"] {
            assert_eq!(of(&drop, refused), REFUSE, "{refused}");
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
        assert_eq!(
            Rules::keep("read,mount").unwrap().wider().map(|(call, _)| call).as_deref(),
            Some("mount")
        );
        assert_eq!(rules("!chmod").wider().map(|(call, _)| call).as_deref(), Some("chmod"));
        assert!(Rules::drop("uname").unwrap().wider().is_some());
    }

    #[test]
    fn who_keeps_the_capability_of_chroot_may_call_it_unless_that_is_refused() {
        let caps = Caps::try_from(vec!["sys_chroot".to_owned()]).unwrap();
        let of = |rules: Rules| of(&rules.for_capabilities(caps), "chroot");
        assert_eq!(of(Rules::default()), Some(Change::Permit));
        assert_eq!(of(rules("@mount")), REFUSE);
        assert_eq!(of(Rules::keep("read").unwrap()), REFUSE);
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
    fn an_item_with_an_action_of_its_own_counts_for_its_calls() {
        let changes = rules("uname:ENOSYS,@timer:kill,!@swap,swapon:EIO,$1000");
        let action = |call| match of(&changes, call) {
            Some(Change::Refuse(Some(action))) => action.name(),
            other => panic!("{other:?}"),
        };
        assert_eq!(action("uname"), "ENOSYS");
        assert_eq!(action("alarm"), "kill");
        assert_eq!(action("swapon"), "EIO");
        assert_eq!(of(&changes, "swapoff"), Some(Change::Permit));
        assert_eq!(changes.numbers().into_iter().collect::<Vec<_>>(), [(1000, Change::Refuse(None))]);
        // The smaller of two groups counts, as a call itself does.
        for text in ["@default:EIO,@mount:kill", "@mount:kill,@default:EIO"] {
            let Some(Change::Refuse(Some(action))) = of(&rules(text), "mount") else { panic!("{text}") };
            assert_eq!(action, ErrorAction::Kill);
        }
    }

    #[test]
    fn what_says_two_things_of_one_call_is_an_error() {
        let exit = table::call("uname").and_then(|call| call.number).unwrap();
        for (text, why) in [
            ("uname:EPERM,uname:kill", "uname:EPERM and uname:kill say two things of uname"),
            ("uname,uname:EPERM", "uname and uname:EPERM say two things of uname"),
            (&format!("${exit}:EPERM,uname"), "say two things of uname"),
            (&format!("!{exit},uname"), "is refused and permitted"),
            ("1000:EPERM,$1000:kill", "say two things of $1000"),
            ("@swap,!@swap", "@swap is refused and permitted"),
            (
                "@default:EPERM,@privileged:kill",
                "@default:EPERM and @privileged:kill say two things of _sysctl",
            ),
            ("!uname:kill", "!uname:kill permits the call and says"),
        ] {
            assert!(refusal(text).contains(why), "{}", refusal(text));
        }
        for text in
            ["uname,uname", "uname:kill,@timer:kill,alarm:EPERM", "@default,@privileged", "1000,1001:kill"]
        {
            rules(text);
        }
        let told = |rules: Result<Rules, Failure>| rules.unwrap_err().to_string();
        assert!(told(Rules::drop("uname:kill,uname")).contains("two things of uname"));
        assert!(told(Rules::keep("uname:kill")).contains("this is the list of those kept; say uname"));
        assert!(told(Rules::keep("!uname")).contains("!uname is an exception"));
        assert!(told(Rules::drop("!uname")).contains("!uname is an exception"));
    }

    #[test]
    fn what_would_get_around_the_checks_cannot_be_logged_by_its_name() {
        for text in ["openat2:log", "io_uring_setup:log", "1000:log"] {
            assert!(refusal(text).contains("would let it through"), "{text}");
            assert!(Rules::drop(text).is_err(), "{text}");
        }
        for text in ["@aio:log", "chmod:log", "mount:log", "execve:log"] {
            rules(text);
        }
    }

    #[test]
    fn a_call_nobody_knows_may_do_anything() {
        for rules in [rules("!$1000"), Rules::keep("read,1000").unwrap()] {
            assert_eq!(rules.permits_unknown(), Some(1000));
            assert!(rules.wider().unwrap().0.contains("1000"));
        }
        assert_eq!(rules("$1000").permits_unknown(), None);
        assert_eq!(
            rules("mount:log").wider().unwrap(),
            ("mount".to_owned(), "--seccomp=mount:log".to_owned())
        );
        for narrower in ["uname:log", "@aio:log,!io_submit", "chmod:log", "1000:kill", "mount:kill"] {
            assert_eq!(rules(narrower).wider(), None, "{narrower}");
        }
    }

    #[test]
    fn what_starts_the_command_cannot_be_refused() {
        assert!(refusal("execve").contains("execve cannot be refused"));
        assert!(refusal("@basic-io").contains("write cannot be refused"));
        assert!(of(&rules("@default-keep,!execve,!execveat"), "prctl") == REFUSE);
    }
}
