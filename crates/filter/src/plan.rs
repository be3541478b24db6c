//! From what was asked for to what will be done: `FilterSpec` -> `FilterPlan` -> steps.

use jail_sys::op::{Op, Step};
use jail_sys::{Failure, Kind, short};
use serde::{Deserialize, Serialize};

use crate::caps::Caps;
use crate::kept::CapsSpec;
use crate::landlock::{LandlockPlan, LandlockSpec};
use crate::rlimits::Rlimit;
use crate::seccomp::{self, ErrorAction, Filter, Item, Protocol, Rules, SeccompSpec, Target};

const STAGE: &str = "filter";

/// What the jail may ask the kernel, as it was asked for. The default is what a server needs and no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilterSpec {
    /// The filter on system calls.
    pub seccomp: SeccompSpec,
    /// What becomes of a call that is refused.
    pub error_action: ErrorAction,
    /// Capabilities to keep, over the jail's own user namespace.
    pub caps: CapsSpec,
    /// The command runs as another user than root, and starts with what is kept all the same.
    pub other_user: bool,
    /// There is no user namespace of the jail's own (`--userns=host`): capabilities count on the host.
    pub on_host: bool,
    /// Its users are the host's (all but root's `--userns=auto`): their keys there would be its own. See keyrings(7).
    pub hosts_users: bool,
    /// Socket families; they are part of the filter on system calls.
    pub protocols: Vec<Protocol>,
    /// Resource limits; there are no core dumps unless they are among them.
    pub rlimits: Vec<Rlimit>,
}

impl Default for FilterSpec {
    fn default() -> Self {
        FilterSpec {
            seccomp: SeccompSpec::default(),
            error_action: ErrorAction::default(),
            caps: CapsSpec::default(),
            other_user: false,
            on_host: false,
            hosts_users: false,
            protocols: Protocol::DEFAULT.to_vec(),
            rlimits: Vec::new(),
        }
    }
}

/// What the jail may ask the kernel, decided. [`FilterPlan::steps`] of a plan that was stored and read again are the
/// same, which is what makes joining a jail no way around its filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterPlan {
    /// The filter on system calls; `None` when it was switched off.
    pub seccomp: Option<SeccompPlan>,
    /// Capabilities that are kept.
    pub caps: Caps,
    /// Whether they are ambient: the command runs as another user than root.
    pub ambient: bool,
    /// Whether they count on the host.
    pub on_host: bool,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
    /// Where it may write, at most; `None` is wherever it may without that.
    pub landlock: Option<LandlockPlan>,
}

/// The filter on system calls, decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeccompPlan {
    /// What the user said of it.
    pub rules: Rules,
    /// What becomes of a call that is refused.
    pub error_action: ErrorAction,
    /// Socket families.
    pub protocols: Vec<Protocol>,
    /// How many system calls are allowed.
    pub allowed: usize,
    /// How many of these only with certain arguments.
    pub checked: usize,
    /// `SECCOMP_FILTER_FLAG_*` it is installed with; see seccomp(2).
    #[serde(default)]
    pub flags: u32,
    /// The compiled filter.
    pub filter: Filter,
}

/// Decides everything; changes nothing.
///
/// # Errors
/// [`jail_sys::Kind::Usage`] for names that do not exist and lists that contradict themselves; `Unsupported` or
/// `Denied` for a capability that cannot be kept.
pub fn plan(spec: &FilterSpec) -> Result<FilterPlan, Failure> {
    let caps = spec.caps.kept(spec.other_user, spec.on_host);
    caps.check(spec.on_host)?;
    let seccomp = match &spec.seccomp {
        SeccompSpec::Off if spec.on_host => {
            return Err(needed_on_host("--seccomp=none".to_owned(), "switches it off"));
        }
        SeccompSpec::Off => None,
        SeccompSpec::On(rules) => {
            rules.check()?;
            let rules = rules.clone().resolve(caps)?;
            rules.check_profile_starts()?;
            if spec.on_host {
                check_on_host(&rules, spec.error_action)?;
            } else if spec.hosts_users {
                check_keys(&rules)?;
            }
            let rules = rules.for_capabilities(caps);
            let built = seccomp::build(&rules, &spec.protocols, spec.error_action)?;
            let flags = match &rules {
                Rules::Profile(profile, _) => profile.flags(),
                _ => 0,
            };
            Some(SeccompPlan {
                rules,
                flags,
                error_action: spec.error_action,
                protocols: spec.protocols.clone(),
                allowed: built.allowed,
                checked: built.checked,
                filter: built.filter,
            })
        }
    };
    let (ambient, on_host) = (spec.other_user, spec.on_host);
    Ok(FilterPlan { seccomp, caps, ambient, on_host, rlimits: Rlimit::all(&spec.rlimits)?, landlock: None })
}

/// Without a user namespace of its own it is the filter that keeps the jail from making namespaces, from the host's keys
/// and from its log: it may refuse more then, not less.
fn check_on_host(rules: &Rules, action: ErrorAction) -> Result<(), Failure> {
    if action == ErrorAction::Log {
        return Err(needed_on_host("--seccomp-error-action=log".to_owned(), "lets through what is refused"));
    }
    match rules.wider() {
        Some((call, option)) => Err(needed_on_host(short(&option), &format!("lets {call} through"))),
        None => Ok(()),
    }
}

/// Where its users are the host's, the filter is all that stands before their keys: a session keyring of the jail's own
/// keeps nobody from linking another's by its number.
fn check_keys(rules: &Rules) -> Result<(), Failure> {
    let Some((call, option)) = rules.opens_keys() else { return Ok(()) };
    let option = short(&option);
    let message = format!(
        "{option} lets {call} through, and by that a jail whose users are the host's gets at their keys"
    );
    let instead = match rules {
        Rules::Drop(_) => "put @keyring on the list",
        Rules::Profile(profile, _) if option == short(&profile.option()) => "refuse it by --seccomp=@keyring",
        _ => "leave it out",
    };
    Err(Failure::new(Kind::Usage, STAGE, "plan", option, message)
        .hint(format!("{instead}, or start the jail as root with --userns=auto, whose users are its own")))
}

fn needed_on_host(option: String, why: &str) -> Failure {
    let message = format!("--userns=host needs the filter on system calls as it is, and {option} {why}");
    Failure::new(Kind::Usage, STAGE, "plan", option, message).hint("leave one of the two out")
}

/// Everything a file with a set-id mode can be made with: those whose mode is checked, and those whose mode the
/// filter cannot see.
const MAKES_SET_ID: [&str; 13] = [
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "open",
    "openat",
    "creat",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "openat2",
    "io_uring_setup",
];

impl FilterPlan {
    /// The same behind Landlock, as far as the running kernel has it.
    #[must_use]
    pub fn with_landlock(self, allowed: &LandlockSpec) -> Self {
        let internet = |family: &Protocol| matches!(family, Protocol::Inet | Protocol::Inet6);
        let no_internet = self.seccomp.as_ref().is_some_and(|plan| !plan.protocols.iter().any(internet));
        FilterPlan { landlock: Some(LandlockPlan::new(allowed, no_internet)), ..self }
    }

    /// Whether the jail cannot make files with `S_ISUID` or `S_ISGID`. Where it can, root of the host must not be
    /// mapped in a writable grant.
    pub fn refuses_set_id(&self) -> bool {
        self.seccomp.as_ref().is_some_and(|seccomp| {
            let rules = &seccomp.rules;
            rules.permits_unknown().is_none() && !MAKES_SET_ID.iter().any(|call| rules.permits(call))
        })
    }

    /// The option by which nothing stands before the keys of the jail's users; of those that [`plan`] does not refuse where
    /// these are the host's.
    pub fn opens_keys(&self) -> Option<&'static str> {
        match &self.seccomp {
            None => Some("--seccomp=none"),
            Some(seccomp) => {
                (seccomp.error_action == ErrorAction::Log).then_some("--seccomp-error-action=log")
            }
        }
    }

    /// The plan in words, a line for each fact.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.seccomp {
            Some(seccomp) => seccomp.lines(&mut lines),
            None => lines.push("system calls: not filtered (--seccomp=none)".to_owned()),
        }
        lines.push(match self.refuses_set_id() {
            true => "set-user-id and set-group-id modes: refused".to_owned(),
            false => "set-user-id and set-group-id modes: possible".to_owned(),
        });
        let reach = if self.on_host && self.caps != Caps::NONE { " (they count on the host)" } else { "" };
        lines.push(format!("capabilities kept: {}{reach}", self.caps));
        lines.push("no_new_privs: on".to_owned());
        lines.extend(self.landlock.as_ref().map(LandlockPlan::line));
        for limit in &self.rlimits {
            lines.push(format!("limit {}: {}", limit.resource.name(), limit.shown()));
        }
        lines
    }

    /// The steps, in the only order that works: the filter last, for it refuses what the others need, and
    /// no_new_privs before it and Landlock, which both need. Only an exec may follow.
    ///
    /// # Errors
    /// Capabilities that [`plan`] would not have kept: a stored plan may have been edited.
    pub fn steps(&self) -> Result<Vec<Step>, Failure> {
        self.caps.check(self.on_host)?;
        let mut steps = Vec::new();
        for limit in &self.rlimits {
            let op = Op::Rlimit { resource: limit.resource.number(), soft: limit.soft, hard: limit.hard };
            steps.push(
                Step::new(STAGE, format!("--rlimit-{}={}", limit.resource.name(), limit.shown()), op)
                    .hint("the limit may be above the one jail itself was started with"),
            );
        }
        let caps = self.caps.bits();
        steps.push(Step::new(STAGE, "capabilities", Op::KeepCaps(caps)));
        steps.push(Step::new(STAGE, "capabilities", Op::SetCaps(caps)));
        if self.ambient && self.caps != Caps::NONE {
            steps.push(Step::new(STAGE, "--caps.keep", Op::AmbientCaps(caps)));
        }
        steps.push(Step::new(STAGE, "no_new_privs", Op::NoNewPrivs));
        steps.extend(self.landlock.as_ref().map(LandlockPlan::step).transpose()?.flatten());
        if let Some(seccomp) = &self.seccomp {
            let op = Op::Seccomp { filter: seccomp.filter.instructions().to_vec(), flags: seccomp.flags };
            steps.push(
                Step::new(STAGE, "--seccomp", op)
                    .hint("this kernel may be built without seccomp filters (CONFIG_SECCOMP_FILTER); --seccomp=none does without"),
            );
        }
        Ok(steps)
    }
}

impl SeccompPlan {
    fn lines(&self, lines: &mut Vec<String>) {
        let (by, others) = match &self.rules {
            Rules::Profile(profile, _) => {
                (format!(" (by the profile {})", short(profile.file())), profile.default_shown())
            }
            _ => (String::new(), self.others()),
        };
        lines.push(format!(
            "system calls{by}: {} allowed, {} of them by their arguments; {others}, unknown ones ENOSYS, foreign ABIs killed",
            self.allowed, self.checked
        ));
        let mut list = |what: &str, names: Vec<String>| {
            if !names.is_empty() {
                lines.push(format!("system calls {what}: {}", names.join(", ")));
            }
        };
        match &self.rules {
            Rules::Default(changes) => {
                list("refused as well", refused(&changes.refuse));
                list("logged", logged(&changes.refuse));
                list("permitted as well", targets(&changes.permit));
            }
            Rules::Keep(names) => list("kept, and no others", targets(names)),
            Rules::Drop(names) => {
                list("refused, and no others", refused(names));
                list("logged", logged(names));
            }
            Rules::Profile(profile, changes) => {
                list("refused whatever the profile says", refused(&changes.refuse));
                list("logged whatever the profile says", logged(&changes.refuse));
                list("permitted whatever the profile says", targets(&changes.permit));
                list("checked as well, whatever the profile says", vec![OVER_PROFILE.to_owned()]);
                let skipped = profile.skipped();
                if skipped > 0 {
                    let what = "that jail does not know on this architecture";
                    lines.push(format!("names in the profile {what}, and passes over: {skipped}"));
                }
            }
        }
        let families: Vec<_> = self.protocols.iter().map(|protocol| protocol.name()).collect();
        lines.push(match Protocol::lifted(&self.rules) {
            Some(call) => format!("socket families: all, for {call} is permitted whatever its arguments are"),
            None => format!("socket families: {} (of netlink: route)", families.join(", ")),
        });
    }

    /// What becomes of calls that are not allowed.
    fn others(&self) -> String {
        match self.error_action {
            ErrorAction::Errno(errno) => format!("others {}", errno.name()),
            ErrorAction::Kill => "others end the process".to_owned(),
            ErrorAction::Log => "OTHERS TOO, but the host's log tells of them".to_owned(),
        }
    }
}

/// What a profile cannot lift, in words.
const OVER_PROFILE: &str = "set-id modes, device nodes, new namespaces, terminals, the core limit, personality, socket families; \
     no openat2, clone3, io_uring";

fn refused(items: &[Item]) -> Vec<String> {
    items.iter().filter(|item| !item.only_logs()).map(Item::shown).collect()
}

fn logged(items: &[Item]) -> Vec<String> {
    items.iter().filter(|item| item.only_logs()).map(|item| item.target.shown()).collect()
}

fn targets(targets: &[Target]) -> Vec<String> {
    targets.iter().map(Target::shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn with(option: &str) -> FilterPlan {
        let spec = FilterSpec { seccomp: option.parse().unwrap(), ..FilterSpec::default() };
        plan(&spec).unwrap()
    }

    #[test]
    fn the_filter_is_the_last_step_and_no_new_privs_comes_before_it() {
        let steps = plan(&FilterSpec::default()).unwrap().steps().unwrap();
        let names: Vec<_> = steps.iter().map(|step| step.op.name()).collect();
        let expected =
            ["setrlimit", "prctl PR_CAPBSET_DROP", "capset", "prctl PR_SET_NO_NEW_PRIVS", "seccomp"];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_stored_plan_gives_the_same_steps() {
        let plan = with("@timer,!unshare");
        let text = serde_json::to_string(&plan).unwrap();
        let again: FilterPlan = serde_json::from_str(&text).unwrap();
        assert_eq!(again, plan);
        assert_eq!(format!("{:?}", again.steps().unwrap()), format!("{:?}", plan.steps().unwrap()));
    }

    #[test]
    fn an_empty_spec_is_the_default() {
        assert_eq!(serde_json::from_str::<FilterSpec>("{}").unwrap(), FilterSpec::default());
    }

    #[test]
    fn what_lets_set_id_modes_through_is_told() {
        assert!(plan(&FilterSpec::default()).unwrap().refuses_set_id());
        for option in ["none", "!openat2", "!chmod", "!@file-system", "!io_uring_setup"] {
            assert!(!with(option).refuses_set_id(), "{option}");
        }
        assert!(with("!unshare,chmod").refuses_set_id());
    }

    #[test]
    fn a_call_of_a_newer_kernel_could_make_set_id_modes_and_a_refused_one_not() {
        assert!(!with("!1000").refuses_set_id());
        assert!(with("1000:kill,chmod:log").refuses_set_id());
    }

    fn with_profile(text: &str, spec: FilterSpec) -> Result<FilterPlan, Failure> {
        let SeccompSpec::On(rules) = spec.seccomp else { panic!("off") };
        let rules = rules.with_profile(Profile::read("p.json", text.as_bytes())?)?;
        plan(&FilterSpec { seccomp: SeccompSpec::On(rules), ..spec })
    }

    #[test]
    fn a_profile_must_let_the_command_start_and_on_the_host_no_more_through_than_the_default() {
        let everything = r#"{ "defaultAction": "SCMP_ACT_ALLOW" }"#;
        let nothing = r#"{ "defaultAction": "SCMP_ACT_KILL" }"#;
        let some = r#"{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [ { "action": "SCMP_ACT_ALLOW",
            "names": ["execve", "execveat", "write", "exit_group", "chmod", "openat2", "io_uring_setup"] } ] }"#;
        let plan = with_profile(everything, FilterSpec::default()).unwrap();
        assert!(plan.refuses_set_id());
        assert!(plan.lines()[0].contains("OTHERS TOO"));
        let told = |text, spec| with_profile(text, spec).unwrap_err().to_string();
        assert!(told(nothing, FilterSpec::default()).contains("does not let execve through"));
        let on_host = FilterSpec { on_host: true, ..FilterSpec::default() };
        assert!(told(everything, on_host.clone()).contains("and --seccomp-profile=p.json lets"));
        with_profile(some, on_host.clone()).unwrap();
        let lifted = FilterSpec { seccomp: "!mount".parse().unwrap(), ..on_host };
        assert!(told(some, lifted).contains("and --seccomp=!mount lets mount through"));
        let start = "!execve,!execveat,!write,!exit_group".parse().unwrap();
        with_profile(nothing, FilterSpec { seccomp: start, ..FilterSpec::default() }).unwrap();
    }

    #[test]
    fn a_stored_plan_with_a_profile_gives_the_same_steps_and_flags() {
        let text = r#"{ "defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"],
            "syscalls": [ { "names": ["uname"], "action": "SCMP_ACT_TRAP" } ] }"#;
        let plan = with_profile(text, FilterSpec::default()).unwrap();
        let again: FilterPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(again, plan);
        let steps = again.steps().unwrap();
        assert!(matches!(steps.last().map(|step| &step.op), Some(Op::Seccomp { flags: 2, .. })));
    }

    #[test]
    fn keys_are_not_opened_where_they_are_those_of_users_of_the_hosts() {
        let hosts = FilterSpec { hosts_users: true, ..FilterSpec::default() };
        let with = |rules| FilterSpec { seccomp: SeccompSpec::On(rules), ..hosts.clone() };
        let changes = |text: &str| match text.parse().unwrap() {
            SeccompSpec::On(rules) => rules,
            SeccompSpec::Off => panic!("off"),
        };
        for (rules, told) in [
            (changes("!keyctl"), "--seccomp=!keyctl lets keyctl through"),
            (changes("!@keyring"), "--seccomp=!@keyring lets add_key through"),
            (changes("request_key:log"), "--seccomp=request_key:log lets request_key through"),
            (Rules::keep("read,keyctl").unwrap(), "--seccomp.keep=read,keyctl lets keyctl through"),
            (Rules::drop("mount").unwrap(), "--seccomp.drop=mount lets add_key through"),
        ] {
            let failure = plan(&with(rules.clone())).unwrap_err();
            assert_eq!(failure.kind, Kind::Usage);
            assert!(failure.message.starts_with(told), "{failure}");
            let own = FilterSpec { hosts_users: false, ..with(rules) };
            plan(&own).unwrap();
        }
        for rules in [changes("!@debug,@keyring"), changes("!ptrace"), Rules::drop("mount,@keyring").unwrap()]
        {
            plan(&with(rules)).unwrap();
        }
        let profile = r#"{ "defaultAction": "SCMP_ACT_ALLOW" }"#;
        let failure = with_profile(profile, hosts.clone()).unwrap_err().to_string();
        assert!(failure.starts_with("--seccomp-profile=p.json lets add_key through"), "{failure}");
        with_profile(profile, FilterSpec { seccomp: "@keyring".parse().unwrap(), ..hosts.clone() }).unwrap();
        let off = plan(&FilterSpec { seccomp: SeccompSpec::Off, ..hosts }).unwrap();
        assert_eq!(off.opens_keys(), Some("--seccomp=none"));
        assert_eq!(plan(&FilterSpec::default()).unwrap().opens_keys(), None);
    }

    #[test]
    fn a_plan_reads_as_facts() {
        let lines = with("@timer,!unshare").lines();
        assert_eq!(lines[1], "system calls refused as well: @timer");
        assert_eq!(lines[2], "system calls permitted as well: unshare");
        assert_eq!(lines[3], "socket families: unix, inet, inet6, netlink (of netlink: route)");
        assert_eq!(lines[5], "capabilities kept: chown, dac_override, fowner, kill, setgid, setuid");
    }
}
