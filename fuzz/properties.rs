//! What must hold of every parser of the filter's options, whatever it is given: one function for each fuzz target.
//!
//! Not only that nothing panics. What is refused is told in one short sentence. What is accepted compiles to a program that
//! the kernel's checker accepts, comes back the same from a stored plan, and lets nothing through that protects the host
//! but what was named.
//!
//! `cargo fuzz` runs them (`make fuzz`), and so does `crates/filter/tests/fuzz.rs`, with the corpus and some thousand
//! inputs made from it.

use jail_filter::{
    CapsSpec, ErrorAction, Filter, FilterPlan, FilterSpec, Profile, Protocol, Resource, Rlimit, Rules,
    SeccompSpec, Target, plan,
};
use jail_sys::{Failure, Kind};

#[path = "../crates/filter/tests/support/bpf.rs"]
mod bpf;

const ERRNO: u32 = 0x0005_0000;
const KILL: u32 = 0x8000_0000;

/// Whether the call runs: `SECCOMP_RET_ALLOW`, `SECCOMP_RET_LOG`.
fn runs(answer: u32) -> bool {
    [0x7fff_0000, 0x7ffc_0000].contains(&(answer & 0xffff_0000))
}

/// `--seccomp=`, `--seccomp.keep=` and `--seccomp.drop=`.
pub fn seccomp(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for rules in [on(text.parse()), Rules::keep(text).map(Some), Rules::drop(text).map(Some)] {
        match rules {
            Err(failure) => assert_is_told(&failure),
            Ok(None) => {}
            Ok(Some(rules)) => assert_holds(rules),
        }
    }
}

fn on(spec: Result<SeccompSpec, Failure>) -> Result<Option<Rules>, Failure> {
    spec.map(|spec| match spec {
        SeccompSpec::On(rules) => Some(rules),
        SeccompSpec::Off => None,
    })
}

/// `--seccomp-profile=`.
pub fn seccomp_profile(input: &[u8]) {
    match Profile::read("profile.json", input) {
        Err(failure) => assert_is_told(&failure),
        Ok(profile) => match Rules::default().with_profile(profile) {
            Err(failure) => panic!("{failure}"),
            Ok(rules) => assert_holds(rules),
        },
    }
}

/// `--caps.keep=` and `--caps.drop=`.
pub fn caps(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for caps in [CapsSpec::keep(text), CapsSpec::drop(text)] {
        let caps = match caps {
            Err(failure) => return assert_is_told(&failure),
            Ok(caps) => caps,
        };
        for on_host in [false, true] {
            match plan(&FilterSpec { caps, on_host, ..FilterSpec::default() }) {
                Err(failure) => assert_is_told(&failure),
                Ok(plan) => {
                    assert_comes_back(&plan);
                    let never =
                        plan.caps.names().find(|name| ["setfcap", "fsetid", "sys_module"].contains(name));
                    assert_eq!(never, None);
                    assert!(on_host || !plan.caps.names().any(|name| name == "net_admin"), "{text}");
                }
            }
        }
    }
}

/// `--protocol=`.
pub fn protocol(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let protocols = match Protocol::list(text) {
        Err(failure) => return assert_is_told(&failure),
        Ok(protocols) => protocols,
    };
    assert_eq!(protocols.iter().map(|protocol| protocol.name()).collect::<Vec<_>>().join(","), text);
    let plan = planned(FilterSpec { protocols: protocols.clone(), ..FilterSpec::default() });
    let filter = &plan.seccomp.as_ref().expect("it is on").filter;
    for (name, family) in
        [("unix", 1), ("inet", 2), ("inet6", 10), ("netlink", 16), ("packet", 17), ("vsock", 40)]
    {
        let granted = protocols.iter().any(|protocol| protocol.name() == name);
        let answer = answer(filter, libc::SYS_socket, &[family, 1, 0]);
        assert_eq!(runs(answer), granted, "{text}: {name}");
    }
    assert_protects(&Rules::default(), &plan);
}

/// `--rlimit-NAME=`.
pub fn rlimit(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for resource in Resource::all() {
        match Rlimit::read(resource, text) {
            Err(why) => assert!(!why.contains('\n'), "{why}"),
            Ok(limit) => {
                assert!(limit.soft <= limit.hard, "{text}");
                match plan(&FilterSpec { rlimits: vec![limit], ..FilterSpec::default() }) {
                    Ok(plan) => assert_comes_back(&plan),
                    Err(failure) => assert_is_told(&failure),
                }
            }
        }
    }
}

/// `--seccomp-error-action=`.
pub fn error_action(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match text.parse::<ErrorAction>() {
        Err(why) => assert!(!why.contains(['\n', '\u{1b}']) && why.len() < 500, "{why}"),
        Ok(error_action) => {
            assert_eq!(error_action.name(), text);
            let plan = planned(FilterSpec { error_action, ..FilterSpec::default() });
            assert_comes_back(&plan);
            assert_protects(&Rules::default(), &plan);
        }
    }
}

/// A filter in a stored plan, which whoever can write there may have changed.
pub fn stored_filter(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(filter) = Filter::try_from(text.to_owned()) {
        assert!((1..=4096).contains(&filter.instructions().len()));
        assert_eq!(String::from(filter.clone()), text.to_lowercase());
        assert_eq!(Filter::try_from(String::from(filter.clone())).as_ref(), Ok(&filter));
    }
    // The plan it stands in.
    if let Ok(plan) = serde_json::from_str::<FilterPlan>(text) {
        assert_comes_back(&plan);
    }
}

/// One sentence that names the option, and that a terminal can show.
fn assert_is_told(failure: &Failure) {
    let text = failure.to_string();
    assert!(text.starts_with("--"), "{text}");
    assert!(text.len() < 2000 && !text.contains(|sign: char| sign.is_control()), "{text}");
    let kinds = [Kind::Usage, Kind::Invalid, Kind::Unsupported, Kind::Denied];
    assert!(kinds.contains(&failure.kind), "{:?}: {text}", failure.kind);
}

fn planned(spec: FilterSpec) -> FilterPlan {
    plan(&spec).unwrap_or_else(|failure| panic!("{failure}"))
}

/// What must hold of rules that were accepted.
fn assert_holds(rules: Rules) {
    for on_host in [false, true] {
        for error_action in [ErrorAction::default(), ErrorAction::Kill, ErrorAction::Log] {
            let seccomp = SeccompSpec::On(rules.clone());
            match plan(&FilterSpec { seccomp, error_action, on_host, ..FilterSpec::default() }) {
                // A profile that starts no command, and whatever is wider than what a jail on the host needs.
                Err(failure) => assert_is_told(&failure),
                Ok(plan) => {
                    assert_comes_back(&plan);
                    assert_protects(&rules, &plan);
                    if on_host {
                        assert_is_no_wider(&plan);
                    }
                }
            }
        }
    }
}

fn assert_comes_back(plan: &FilterPlan) {
    let text = serde_json::to_string(plan).expect("it is data");
    let again: FilterPlan = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again, *plan);
    assert_eq!(again.lines(), plan.lines());
}

fn answer(filter: &Filter, call: libc::c_long, arguments: &[u64]) -> u32 {
    let mut all = [u64::MAX; 6];
    all[..arguments.len()].copy_from_slice(arguments);
    let number = u32::try_from(call).expect("calls have small numbers");
    bpf::run(filter.instructions(), &bpf::data(bpf::NATIVE, number, all)).0
}

/// What reaches the host, as a call with its arguments; the upper half of a register is the caller's to fill.
const ATTACKS: [(&str, libc::c_long, &[u64]); 14] = [
    ("fchmodat", libc::SYS_fchmodat, &[0, 0, 0xdead_0000_0000 | 0o4755]),
    ("fchmod", libc::SYS_fchmod, &[0, 0o2755]),
    ("openat", libc::SYS_openat, &[0, 0, 0o100, 0o4755]),
    ("mkdirat", libc::SYS_mkdirat, &[0, 0, 0o2755]),
    ("mknodat", libc::SYS_mknodat, &[0, 0, 0o20600]),
    ("openat2", libc::SYS_openat2, &[]),
    ("io_uring_setup", libc::SYS_io_uring_setup, &[]),
    ("clone", libc::SYS_clone, &[0x1000_0011]),
    ("clone3", libc::SYS_clone3, &[]),
    ("ioctl", libc::SYS_ioctl, &[0, 0xdead_0000_5412]),
    ("socket", libc::SYS_socket, &[17, 3, 0]),
    ("socketpair", libc::SYS_socketpair, &[2, 10, 0]),
    ("personality", libc::SYS_personality, &[0x40000]),
    ("prlimit64", libc::SYS_prlimit64, &[0, 4, 0x7fff_0000_0000, 0]),
];

/// How many of these make a file with a set-id mode; the last of them by means that cannot be looked at.
const SET_ID: usize = 7;

fn assert_protects(rules: &Rules, plan: &FilterPlan) {
    let Some(seccomp) = &plan.seccomp else { return };
    let filter = &seccomp.filter;
    bpf::check(filter.instructions()).unwrap_or_else(|why| panic!("{why}: {rules:?}"));
    let answer_at =
        |architecture, number| bpf::run(filter.instructions(), &bpf::data(architecture, number, [0; 6])).0;
    for number in [0, 20, 59, 0x4000_0000] {
        assert_eq!(answer_at(bpf::I386, number), KILL, "{rules:?}");
    }
    #[cfg(target_arch = "x86_64")]
    for number in [0x4000_0000, 0x4000_0200, 0xffff_fffe] {
        assert_eq!(answer_at(bpf::NATIVE, number), KILL, "{rules:?}");
    }
    for number in [1024, 0x3fff_ffff, u32::MAX] {
        assert_eq!(answer_at(bpf::NATIVE, number), ERRNO | 38, "{rules:?}");
    }
    for number in 600..1024 {
        let got_through = runs(answer_at(bpf::NATIVE, number));
        assert!(!got_through || is_named(rules, "", number.into()), "{number}: {rules:?}");
    }
    for (at, (name, number, arguments)) in ATTACKS.into_iter().enumerate() {
        let got_through = runs(answer(filter, number, arguments));
        assert!(!got_through || is_named(rules, name, number), "{name}: {rules:?}");
        assert!(
            !got_through || at >= SET_ID || !plan.refuses_set_id() || name == "mknodat",
            "{name}: {rules:?}"
        );
    }
}

/// Whether the user permitted this call: by its name or number, or a group. (Which group holds it is not known here.)
fn is_named(rules: &Rules, name: &str, number: libc::c_long) -> bool {
    let itself = |target: &Target| {
        let text = target.to_string();
        text == name || text.trim_start_matches('$').parse() == Ok(number)
    };
    let is_group = |target: &Target| target.to_string().starts_with('@');
    match rules {
        Rules::Default(changes) | Rules::Profile(_, changes) => {
            changes.permit.iter().any(|target| itself(target) || is_group(target))
        }
        // What is looked at by default is looked at in such a list as well.
        Rules::Keep(kept) => {
            ["openat2", "clone3", "io_uring_setup"].contains(&name) && kept.iter().any(itself)
        }
        Rules::Drop(_) => false,
    }
}

/// On the host nothing runs that does not by default.
fn assert_is_no_wider(plan: &FilterPlan) {
    let default = planned(FilterSpec::default());
    let filter = |plan: &FilterPlan| plan.seccomp.as_ref().map(|seccomp| seccomp.filter.clone());
    let (Some(ours), Some(default)) = (filter(plan), filter(&default)) else { panic!("it is on") };
    for number in 0..1100 {
        assert!(!runs(answer(&ours, number, &[])) || runs(answer(&default, number, &[])), "{number}");
    }
}
