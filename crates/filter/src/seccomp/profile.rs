//! `Profile`: a seccomp profile of container engines in the place of the default list, `--seccomp-profile=FILE`.
//!
//! It means what it means to an engine (runc with libseccomp), with these differences: what cannot be done exactly is
//! refused, and so is what engines pass over in silence because it contradicts itself. What protects the host stays in
//! force over it; that is the policy's.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jail_sys::{Failure, Kind, short};
use seccompiler::{SeccompCmpArgLen, SeccompCmpOp, SeccompCondition};
use serde::{Deserialize, Serialize};

use super::compile::LONGEST;
use super::errno::Errno;
use super::item::invalid;
use super::oci::{Action, Arg, Conditions, Flag, Form, Operator, Rule};
use super::policy::Error;
use super::table;
use super::verdict::{Answer, Case, Verdict};
use crate::caps::Caps;

/// Docker's own has 16 KiB.
const LARGEST: u64 = 1 << 20;

/// The largest errno that a filter can answer: `MAX_ERRNO`.
const LARGEST_ERRNO: u32 = 4095;

/// What Go, in which engines are written, calls the architecture this is built for.
#[cfg(target_arch = "x86_64")]
const GO_ARCH: &str = "amd64";
#[cfg(target_arch = "aarch64")]
const GO_ARCH: &str = "arm64";

/// `SCMP_ARCH_*` of libseccomp.
const ARCHITECTURES: [&str; 21] = [
    "X86",
    "X86_64",
    "X32",
    "ARM",
    "AARCH64",
    "MIPS",
    "MIPS64",
    "MIPS64N32",
    "MIPSEL",
    "MIPSEL64",
    "MIPSEL64N32",
    "PPC",
    "PPC64",
    "PPC64LE",
    "S390",
    "S390X",
    "PARISC",
    "PARISC64",
    "RISCV64",
    "LOONGARCH64",
    "M68K",
];

/// A profile, with the file it was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    file: String,
    profile: Form,
}

impl Profile {
    /// Reads a profile from a regular file.
    ///
    /// # Errors
    /// What cannot be read, is no file, is larger than any profile, or is what [`Profile::read`] refuses.
    pub fn from_file(file: &Path) -> Result<Self, Failure> {
        let name = file.to_string_lossy();
        let option = short(&format!("--seccomp-profile={name}"));
        let failed = |call, error: &std::io::Error| {
            let failure = Failure::call("filter", call, &*option, error);
            let hint = if failure.hint.is_empty() { "name a file in the JSON form of the OCI" } else { "" };
            if hint.is_empty() { failure } else { failure.hint(hint) }
        };
        // Whatever it is, opening it does not wait.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(file);
        let opened = opened.map_err(|error| failed("open", &error))?;
        if !opened.metadata().map_err(|error| failed("fstat", &error))?.is_file() {
            return Err(wrong(&option, "it is no regular file").hint("write the profile to a file first"));
        }
        let mut text = Vec::new();
        opened.take(LARGEST + 1).read_to_end(&mut text).map_err(|error| failed("read", &error))?;
        if text.len() as u64 > LARGEST {
            let why = format!("it is larger than {} KiB, which no profile is", LARGEST >> 10);
            return Err(wrong(&option, why).hint("is it the right file?"));
        }
        Profile::read(&name, &text)
    }

    /// Reads a profile from a text, which came from this file.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for what is no profile, with the place; `Unsupported` for one that asks for what a jail cannot do.
    pub fn read(file: &str, text: &[u8]) -> Result<Self, Failure> {
        let option = format!("--seccomp-profile={file}");
        let hint = "the form is that of the OCI runtime specification, linux.seccomp";
        let text = std::str::from_utf8(text).map_err(|error| {
            let why = format!("byte {} is not UTF-8, which JSON is written in", error.valid_up_to() + 1);
            wrong(&option, why).hint(hint)
        })?;
        let profile = serde_json::from_str(text).map_err(|error| {
            let told = error.to_string();
            let why = told.split(" at line ").next().unwrap_or_default().replace("variant", "value");
            wrong(&option, format!("line {}, column {}: {}", error.line(), error.column(), short(&why)))
                .hint(hint)
        })?;
        let profile = Profile { file: file.to_owned(), profile };
        profile.check().map(|()| profile)
    }

    /// The option as the user wrote it.
    pub(crate) fn option(&self) -> String {
        format!("--seccomp-profile={}", self.file)
    }

    /// The file it came from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether a jail can do what it asks for.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let Form { listener_path, listener_metadata, flags, architectures, arch_map, .. } = &self.profile;
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if given(listener_path) || given(listener_metadata) || flags.contains(&Flag::WaitKillableRecv) {
            return Err(self.unsupported("it hands calls to another program, and a jail has none for that"));
        }
        if !architectures.is_empty() && !arch_map.is_empty() {
            return Err(self.wrong("it has architectures and archMap").hint("leave one of the two out"));
        }
        let mapped = arch_map.iter().flat_map(|map| map.sub_architectures.iter().chain([&map.architecture]));
        let known = |name: &&String| {
            let name = name.strip_prefix("SCMP_ARCH_");
            name.is_some_and(|name| ARCHITECTURES.contains(&name))
        };
        if let Some(unknown) = architectures.iter().chain(mapped).find(|name| !known(name)) {
            return Err(self.wrong(format!("there is no architecture '{}'", short(unknown))));
        }
        self.answer(Place::Default)?;
        self.profile.syscalls.iter().enumerate().try_for_each(|(at, rule)| self.check_rule(at, rule))
    }

    fn check_rule(&self, at: usize, rule: &Rule) -> Result<(), Failure> {
        let place = Place::Rule(at, rule);
        self.answer(place)?;
        let says = |what: &str| self.wrong(format!("{} {what}", place.shown()));
        match (&rule.name, rule.names.as_slice()) {
            (Some(name), [_, ..]) if !name.is_empty() => return Err(says("has name and names")),
            (None, []) => return Err(says("names no system call")),
            (name, names)
                if names.iter().any(String::is_empty)
                    || (names.is_empty() && name.as_deref() == Some("")) =>
            {
                return Err(says("has an empty name"));
            }
            _ => {}
        }
        if let Some(arg) = rule.args.iter().find(|arg| arg.index > 5) {
            return Err(says(&format!("looks at argument {}: they are 0 to 5", arg.index)));
        }
        for conditions in [&rule.includes, &rule.excludes] {
            if let Some(name) = conditions.caps.iter().find(|name| Caps::named(name).is_none()) {
                return Err(says(&format!("asks for a capability '{}', which there is not", short(name))));
            }
            if let Some(kernel) = conditions.min_kernel.as_ref().filter(|text| release(text).is_none()) {
                return Err(says(&format!(
                    "asks for a kernel '{}', which is no version like 4.8",
                    short(kernel)
                )));
            }
        }
        Ok(())
    }

    /// What is answered where the rule, or none, holds.
    fn answer(&self, place: Place<'_>) -> Result<Answer, Failure> {
        let form = &self.profile;
        let (action, number, name) = match place {
            Place::Default => (form.default_action, form.default_errno_ret, &form.default_errno),
            Place::Rule(_, rule) => (rule.action, rule.errno_ret, &rule.errno),
        };
        let says = |what: &str| self.wrong(format!("{} {what}", place.shown()));
        let named = match name.as_deref().filter(|name| !name.is_empty()) {
            None => None,
            Some(name) => match Errno::named(name) {
                Some(errno) => Some(errno.number().unsigned_abs()),
                None => return Err(says(&format!("has an errno '{}', which there is not", short(name)))),
            },
        };
        if number.zip(named).is_some_and(|(number, named)| number != named) {
            return Err(says("says an errno by number and another one by name"));
        }
        let errno = number.or(named);
        if errno.is_some_and(|errno| errno > LARGEST_ERRNO) {
            return Err(says(&format!("has an errno that is larger than {LARGEST_ERRNO}")));
        }
        let answer = match action {
            Action::Errno => {
                let errno = errno.and_then(|errno| i32::try_from(errno).ok());
                return Ok(Answer::Errno(errno.unwrap_or(libc::EPERM)));
            }
            Action::Allow => Answer::Allow,
            Action::Kill | Action::KillThread => Answer::KillThread,
            Action::KillProcess => Answer::Kill,
            Action::Trap => Answer::Trap,
            Action::Log => Answer::Log,
            Action::Notify | Action::Trace => {
                let what = if action == Action::Notify { "SCMP_ACT_NOTIFY" } else { "SCMP_ACT_TRACE" };
                let why = format!(
                    "{} has {what}: it hands the call to another program, and a jail has none for that",
                    place.shown()
                );
                return Err(self.unsupported(why));
            }
        };
        match errno {
            None => Ok(answer),
            Some(_) => Err(says("has an errno, and an action that answers none")),
        }
    }

    /// The profile for a jail that keeps these capabilities, on this kernel: without the rules that are for others, and
    /// without those that say what the default says, which engines leave out as well.
    ///
    /// # Errors
    /// Rules that contradict each other; a kernel that does not tell its release.
    pub(crate) fn resolve(mut self, caps: Caps) -> Result<Self, Failure> {
        let default = self.answer(Place::Default)?;
        let asks_kernel =
            |rule: &Rule| rule.includes.min_kernel.is_some() || rule.excludes.min_kernel.is_some();
        let kernel = match self.profile.syscalls.iter().any(asks_kernel) {
            true => running_kernel()?,
            false => (0, 0),
        };
        let mut kept = Vec::new();
        for (at, rule) in self.profile.syscalls.iter().enumerate() {
            if counts(rule, caps, kernel) && self.answer(Place::Rule(at, rule))? != default {
                kept.push(Rule {
                    comment: None,
                    includes: Conditions::default(),
                    excludes: Conditions::default(),
                    ..rule.clone()
                });
            }
        }
        self.profile.syscalls = kept;
        self.check_contradictions()?;
        Ok(self)
    }

    /// Whether no call has two answers, by conditions on its arguments and without any. Of such rules engines pass over the
    /// former: that they say two things is told. Of several without conditions, as Podman's own profile has for setns, the
    /// strictest counts.
    fn check_contradictions(&self) -> Result<(), Failure> {
        for call in table::CALLS {
            let rules = self.rules(call.name).collect::<Vec<_>>();
            let Some(says) = self.unconditional(&rules) else { continue };
            let mut conditional = rules.iter().filter(|rule| !rule.args.is_empty());
            if conditional.any(|rule| self.answer(Place::Rule(0, rule)) != Ok(says)) {
                let name = call.name;
                let why = format!("it says two things of {name}, one of them whatever its arguments are");
                return Err(self.wrong(why).hint(format!("leave one of the rules for {name} out")));
            }
        }
        Ok(())
    }

    /// The strictest answer of the rules that are without conditions.
    fn unconditional(&self, rules: &[&Rule]) -> Option<Answer> {
        let always = rules.iter().filter(|rule| rule.args.is_empty());
        let answers = always.map(|rule| self.answer(Place::Rule(0, rule)).unwrap_or(Answer::Kill));
        answers.max_by_key(|answer| answer.strictness())
    }

    /// The rules for a call.
    fn rules(&self, call: &str) -> impl Iterator<Item = &Rule> {
        self.profile.syscalls.iter().filter(move |rule| rule.all_names().any(|name| name == call))
    }

    /// What it answers to a call; of several conditions that hold, the strictest.
    pub(crate) fn verdict(&self, call: &str) -> Result<Verdict, Error> {
        let answer = |place| self.answer(place).unwrap_or(Answer::Kill); // it was checked: this is for who did not
        let rules = self.rules(call).collect::<Vec<_>>();
        if let Some(always) = self.unconditional(&rules) {
            return Ok(Verdict::always(always));
        }
        let mut verdict = Verdict::always(answer(Place::Default));
        for rule in rules {
            let answer = answer(Place::Rule(0, rule));
            for args in rule.alternatives() {
                let conditions = args.iter().map(|arg| condition(arg)).collect::<Result<_, _>>()?;
                verdict.cases.push(Case { conditions, answer });
            }
            if verdict.cases.len() > LONGEST {
                return Err(Error::TooLong);
            }
        }
        Ok(verdict.strictest_first())
    }

    /// Whether it lets a call through with some arguments at least.
    pub(crate) fn lets_through(&self, call: &str) -> bool {
        self.verdict(call).is_ok_and(|verdict| verdict.lets_through())
    }

    /// Whether it lets a call through with any arguments.
    pub(crate) fn always_runs(&self, call: &str) -> bool {
        let runs = |verdict: Verdict| {
            verdict.cases.iter().all(|case| case.answer.runs()) && verdict.otherwise.runs()
        };
        self.verdict(call).is_ok_and(runs)
    }

    /// `SECCOMP_FILTER_FLAG_*` that it asks for; see seccomp(2). TSYNC is for a process with threads, which a jail's first
    /// has not.
    pub(crate) fn flags(&self) -> u32 {
        let flag = |flag: &Flag| match flag {
            Flag::Log => libc::SECCOMP_FILTER_FLAG_LOG as u32,
            Flag::SpecAllow => libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW as u32,
            Flag::Tsync | Flag::WaitKillableRecv => 0,
        };
        self.profile.flags.iter().map(flag).fold(0, |flags, flag| flags | flag)
    }

    /// What becomes of calls it says nothing of, in words.
    pub(crate) fn default_shown(&self) -> String {
        match self.answer(Place::Default) {
            Ok(Answer::Allow) => "OTHERS TOO".to_owned(),
            Ok(Answer::Log) => "OTHERS TOO, but the host's log tells of them".to_owned(),
            Ok(Answer::Errno(0)) => "others do nothing".to_owned(),
            Ok(Answer::Errno(errno)) => format!("others {}", Errno::shown(errno)),
            Ok(Answer::Trap) => "others SIGSYS".to_owned(),
            Ok(Answer::KillThread) => "others end the thread".to_owned(),
            Ok(Answer::Kill) | Err(_) => "others end the process".to_owned(),
        }
    }

    /// How many names in its rules are not those of calls of this architecture and the kernels that jail knows.
    pub(crate) fn skipped(&self) -> usize {
        let is_known = |name: &&str| table::call(name).is_some_and(|call| call.number.is_some());
        let names: BTreeSet<&str> = self.profile.syscalls.iter().flat_map(Rule::all_names).collect();
        names.iter().filter(|name| !is_known(name)).count()
    }

    /// What is wrong with it, in a sentence.
    pub(crate) fn wrong(&self, why: impl AsRef<str>) -> Failure {
        wrong(&self.option(), why)
    }

    fn unsupported(&self, why: impl AsRef<str>) -> Failure {
        let mut failure = self.wrong(why);
        failure.kind = Kind::Unsupported;
        failure.hint("take it out of the profile")
    }
}

/// What is said where, for messages.
#[derive(Clone, Copy)]
enum Place<'a> {
    Default,
    Rule(usize, &'a Rule),
}

impl Place<'_> {
    fn shown(self) -> String {
        match self {
            Place::Default => "defaultAction".to_owned(),
            Place::Rule(at, rule) => match rule.all_names().next() {
                Some(name) => format!("syscalls[{at}] ({})", short(name)),
                None => format!("syscalls[{at}]"),
            },
        }
    }
}

impl Rule {
    fn all_names(&self) -> impl Iterator<Item = &str> {
        let name = self.name.iter().filter(|name| !name.is_empty());
        self.names.iter().chain(name).map(String::as_str)
    }

    /// Conditions that must all hold, of which one set is enough: libseccomp takes one condition for an argument, and
    /// engines make of several for one argument a rule each.
    fn alternatives(&self) -> Vec<Vec<&Arg>> {
        let arguments: BTreeSet<u32> = self.args.iter().map(|arg| arg.index).collect();
        match arguments.len() == self.args.len() {
            true => vec![self.args.iter().collect()],
            false => self.args.iter().map(|arg| vec![arg]).collect(),
        }
    }
}

fn condition(arg: &Arg) -> Result<SeccompCondition, Error> {
    let (operator, value) = match arg.op {
        Operator::Ne => (SeccompCmpOp::Ne, arg.value),
        Operator::Lt => (SeccompCmpOp::Lt, arg.value),
        Operator::Le => (SeccompCmpOp::Le, arg.value),
        Operator::Eq => (SeccompCmpOp::Eq, arg.value),
        Operator::Ge => (SeccompCmpOp::Ge, arg.value),
        Operator::Gt => (SeccompCmpOp::Gt, arg.value),
        Operator::MaskedEq => (SeccompCmpOp::MaskedEq(arg.value), arg.value_two),
    };
    let index = u8::try_from(arg.index).unwrap_or(u8::MAX);
    Ok(SeccompCondition::new(index, SeccompCmpArgLen::Qword, operator, value)?)
}

/// Whether a rule is for a jail that keeps these capabilities, on this architecture and kernel.
fn counts(rule: &Rule, caps: Caps, kernel: (u32, u32)) -> bool {
    let kept = |name: &String| Caps::named(name).is_some_and(|cap| cap.without(caps) == Caps::NONE);
    let new_enough = |least: &String| release(least).is_some_and(|least| kernel >= least);
    let here = |arch: &String| arch == GO_ARCH;
    let (includes, excludes) = (&rule.includes, &rule.excludes);
    let excluded = excludes.caps.iter().any(kept)
        || excludes.arches.iter().any(here)
        || excludes.min_kernel.as_ref().is_some_and(new_enough);
    let included = includes.caps.iter().all(kept)
        && (includes.arches.is_empty() || includes.arches.iter().any(here))
        && includes.min_kernel.as_ref().is_none_or(new_enough);
    included && !excluded
}

/// The first two numbers of a kernel's release: `4.8`, `6.1.0-13-amd64`.
fn release(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().split(|sign: char| !sign.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn running_kernel() -> Result<(u32, u32), Failure> {
    const FILE: &str = "/proc/sys/kernel/osrelease";
    let text =
        std::fs::read_to_string(FILE).map_err(|error| Failure::call("filter", "read", FILE, &error))?;
    release(&text).ok_or_else(|| {
        Failure::new(
            Kind::Failed,
            "filter",
            "parse",
            FILE,
            format!("{FILE}: '{}' is no release", short(&text)),
        )
    })
}

fn wrong(option: &str, why: impl AsRef<str>) -> Failure {
    let mut failure = invalid(option, why);
    failure.kind = Kind::Invalid;
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Profile, Failure> {
        Profile::read("p.json", text.as_bytes())
    }

    fn with_rule(rule: &str) -> Result<Profile, Failure> {
        read(&format!(r#"{{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [ {{ "names": ["read"] }}, {{ {rule} }} ] }}"#)
            .replace(r#"["read"] }"#, r#"["read"], "action": "SCMP_ACT_ALLOW" }"#))
    }

    fn caps(names: &[&str]) -> Caps {
        Caps::of(names)
    }

    /// A profile with everything in it that engines know.
    const ALL: &str = r#"{
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "defaultErrno": "ENOSYS",
        "archMap": [ { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
                     { "architecture": "SCMP_ARCH_AARCH64", "subArchitectures": null } ],
        "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"], "listenerPath": "",
        "syscalls": [
            { "names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW", "args": [], "comment": "x", "includes": {},
              "excludes": {} },
            { "name": "write", "action": "SCMP_ACT_ALLOW", "args": null, "includes": null },
            { "names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_CHROOT"] } },
            { "names": ["acct"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_CHOWN", "CAP_SYS_PACCT"] } },
            { "names": ["bpf"], "action": "SCMP_ACT_ALLOW", "excludes": { "caps": ["CAP_SYS_ADMIN", "CAP_CHOWN"] } },
            { "names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "4.8" } },
            { "names": ["kcmp"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "999.0" } },
            { "names": ["setns"], "action": "SCMP_ACT_ALLOW", "excludes": { "minKernel": "4.8" } },
            { "names": ["swapon"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["amd64", "arm64"] } },
            { "names": ["swapoff"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["s390x"] } },
            { "names": ["reboot"], "action": "SCMP_ACT_ALLOW", "excludes": { "arches": ["amd64", "arm64"] } },
            { "names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "errno": "EPERM" },
            { "names": ["umount2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38 },
            { "names": ["umount2"], "action": "SCMP_ACT_ALLOW",
              "args": [ { "index": 1, "value": 0, "valueTwo": 0, "op": "SCMP_CMP_EQ" } ] }
        ] }"#;

    #[test]
    fn rules_count_for_the_capabilities_the_architecture_and_the_kernel_they_are_for() {
        let profile = read(ALL).unwrap();
        let allowed = |caps| {
            let profile = profile.clone().resolve(caps).unwrap();
            let allowed = table::CALLS.iter().filter(|call| profile.lets_through(call.name));
            allowed.map(|call| call.name).collect::<Vec<_>>()
        };
        assert_eq!(allowed(Caps::NONE), ["bpf", "ptrace", "read", "swapon", "umount2", "write"]);
        let chown = ["ptrace", "read", "swapon", "umount2", "write"];
        assert_eq!(allowed(caps(&["chown"])), chown);
        assert_eq!(
            allowed(caps(&["chown", "sys_chroot", "sys_pacct"])),
            [&["acct", "chroot"], &chown[..]].concat()
        );
    }

    #[test]
    fn what_a_profile_says_is_kept_in_a_plan_without_the_rules_that_do_not_count() {
        let profile = read(ALL).unwrap().resolve(Caps::NONE).unwrap();
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&text).unwrap(), profile);
        assert!(!text.contains("chroot") && !text.contains("includes"), "{text}");
        assert_eq!(profile.clone().resolve(Caps::NONE).unwrap(), profile);
        assert_eq!(profile.flags(), 2);
        assert_eq!(profile.skipped(), 1);
        assert_eq!(profile.default_shown(), "others ENOSYS");
    }

    #[test]
    fn what_says_nothing_but_the_default_contradicts_nothing_and_what_says_more_does() {
        let umount = read(ALL).unwrap().resolve(Caps::NONE).unwrap().verdict("umount2").unwrap();
        assert_eq!((umount.cases.len(), umount.otherwise), (1, Answer::Errno(libc::ENOSYS)));
        let rule = r#""names": ["read"], "action": "SCMP_ACT_TRAP", "args": [ { "index": 0, "value": 1, "op": "SCMP_CMP_EQ" } ]"#;
        let failure = with_rule(rule).unwrap().resolve(Caps::NONE).unwrap_err();
        assert!(failure.message.contains("two things of read"), "{failure}");
        for (rule, answer) in [
            (r#""names": ["read"], "action": "SCMP_ACT_LOG""#, Answer::Log),
            (r#""names": ["write", "read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5"#, Answer::Errno(5)),
        ] {
            let read = with_rule(rule).unwrap().resolve(Caps::NONE).unwrap().verdict("read").unwrap();
            assert_eq!((read.cases.len(), read.otherwise), (0, answer));
        }
        let again = r#""names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [ { "index": 0, "value": 1, "op": "SCMP_CMP_EQ" } ]"#;
        assert!(with_rule(again).unwrap().resolve(Caps::NONE).unwrap().always_runs("read"));
    }

    #[test]
    fn what_cannot_be_done_exactly_is_refused_with_its_place() {
        for (rule, why) in [
            (r#""names": ["mount"], "action": "SCMP_ACT_NOTIFY""#, "syscalls[1] (mount) has SCMP_ACT_NOTIFY"),
            (r#""names": ["mount"], "action": "SCMP_ACT_TRACE", "errnoRet": 1"#, "has SCMP_ACT_TRACE"),
            (
                r#""names": ["mount"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1"#,
                "an action that answers none",
            ),
            (r#""names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4096"#, "larger than 4095"),
            (r#""names": ["mount"], "action": "SCMP_ACT_ERRNO", "errno": "EPREM""#, "an errno 'EPREM'"),
            (
                r#""names": ["mount"], "action": "SCMP_ACT_ERRNO", "errno": "EIO", "errnoRet": 1"#,
                "by number and another",
            ),
            (r#""action": "SCMP_ACT_ERRNO""#, "names no system call"),
            (r#""names": [], "action": "SCMP_ACT_ERRNO""#, "names no system call"),
            (r#""names": [""], "action": "SCMP_ACT_ERRNO""#, "an empty name"),
            (r#""name": "", "action": "SCMP_ACT_ERRNO""#, "an empty name"),
            (r#""name": "read", "names": ["read"], "action": "SCMP_ACT_ERRNO""#, "has name and names"),
            (
                r#""names": ["x"], "action": "SCMP_ACT_LOG", "args": [ { "index": 6, "value": 1, "op": "SCMP_CMP_EQ" } ]"#,
                "argument 6",
            ),
            (
                r#""names": ["x"], "action": "SCMP_ACT_LOG", "includes": { "caps": ["CAP_CHWON"] }"#,
                "'CAP_CHWON'",
            ),
            (r#""names": ["x"], "action": "SCMP_ACT_LOG", "excludes": { "caps": ["chown"] }"#, "'chown'"),
            (r#""names": ["x"], "action": "SCMP_ACT_LOG", "excludes": { "minKernel": "new" }"#, "'new'"),
        ] {
            let failure = with_rule(rule).unwrap_err();
            assert!(failure.message.contains(why), "{failure}");
            assert!(failure.message.starts_with("--seccomp-profile=p.json: syscalls[1]"), "{failure}");
        }
        for (text, why) in [
            (r#"{ "defaultAction": "SCMP_ACT_NOTIFY" }"#, "defaultAction has SCMP_ACT_NOTIFY"),
            (r#"{ "defaultAction": "SCMP_ACT_KILL", "defaultErrnoRet": 1 }"#, "answers none"),
            (r#"{ "defaultAction": "SCMP_ACT_LOG", "listenerPath": "/run/x" }"#, "another program"),
            (
                r#"{ "defaultAction": "SCMP_ACT_LOG", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] }"#,
                "another program",
            ),
            (r#"{ "defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_VAX"] }"#, "'SCMP_ARCH_VAX'"),
            (
                r#"{ "defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_X86"], "archMap": [ { "architecture": "SCMP_ARCH_X86" } ] }"#,
                "architectures and archMap",
            ),
        ] {
            let failure = read(text).unwrap_err();
            assert!(failure.message.contains(why), "{failure}");
        }
    }

    #[test]
    fn what_is_no_profile_is_told_with_the_place() {
        for (text, why) in [
            ("", "line 1, column 0: EOF"),
            ("[]", "line 1, column 2: invalid length 0"),
            ("{}", "line 1, column 2: missing field `defaultAction`"),
            (
                "{\n \"defaultAction\": \"SCMP_ACT_ALLOW\",\n \"foo\": 1 }",
                "line 3, column 6: unknown field `foo`",
            ),
            (r#"{ "defaultAction": "ALLOW" }"#, "unknown value `ALLOW`"),
            (r#"{ "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": -1 }"#, "-1"),
            (r#"{ "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4294967296 }"#, "4294967296"),
            (r#"{ "defaultAction": "SCMP_ACT_LOG", "defaultAction": "SCMP_ACT_LOG" }"#, "duplicate field"),
            (r#"{ "defaultAction": "SCMP_ACT_LOG", "flags": ["\u001b[2J"] }"#, "\\u{1b}[2J"),
            (&"[".repeat(1 << 20), "line 1, column 2: expected value"),
        ] {
            let failure = read(text).unwrap_err();
            assert!(failure.message.contains(why), "{failure}");
            assert!(
                failure.to_string().len() < 600 && !failure.to_string().contains(['\n', '\u{1b}']),
                "{failure}"
            );
        }
        assert!(Profile::read("x", b"{ \xff }").unwrap_err().message.contains("byte 3 is not UTF-8"));
    }

    #[test]
    fn what_is_no_file_is_not_waited_for_and_what_is_too_large_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(path("fifo")).status().unwrap();
        assert!(made.success());
        std::fs::write(path("large"), vec![b' '; 10_000_000]).unwrap();
        std::fs::write(path("good"), ALL).unwrap();
        let told = |path: &Path| Profile::from_file(path).unwrap_err().to_string();
        assert!(told(&path("fifo")).contains("no regular file"));
        assert!(told(dir.path()).contains("no regular file"));
        assert!(told(Path::new("/dev/zero")).contains("no regular file"));
        assert!(told(&path("large")).contains("larger than 1024 KiB"));
        assert!(told(&path("none")).contains("No such file"));
        assert!(Profile::from_file(&path("good")).is_ok());
    }

    #[test]
    fn what_no_filter_can_hold_is_refused() {
        let arg = |value| format!(r#"{{ "index": 0, "value": {value}, "op": "SCMP_CMP_EQ" }}"#);
        let args = (0..1500).map(arg).collect::<Vec<_>>().join(",");
        let text = format!(
            r#"{{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [ {{ "names": ["read", "clone"], "action": "SCMP_ACT_TRAP", "args": [ {args} ] }} ] }}"#
        );
        for name in ["read", "clone"] {
            let text = text.replace(if name == "read" { ", \"clone\"" } else { "\"read\", " }, "");
            let profile = read(&text).unwrap();
            let rules = super::super::Rules::default().with_profile(profile).unwrap();
            let spec = crate::FilterSpec { seccomp: crate::SeccompSpec::On(rules), ..Default::default() };
            let failure = crate::plan(&spec).unwrap_err();
            assert!(failure.to_string().contains("more conditions than"), "{failure}");
        }
    }
}
