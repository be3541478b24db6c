//! The options about the filter, as a spec.

use jail_core::spec::{CapsSpec, FilterSpec, Profile, Protocol, Rules, SeccompSpec};
use jail_core::{Failure, Kind};
use jail_sys::printable;

use crate::args::{BARE, Filter};

/// What was typed, as a filter.
pub(super) fn filter_of(given: &Filter) -> Result<FilterSpec, Failure> {
    let mut spec = FilterSpec { seccomp: profiled(seccomp_of(given)?, given)?, ..FilterSpec::default() };
    if let Some(action) = given.seccomp_error_action {
        let option = format!("--seccomp-error-action={}", action.name());
        refuse_without_filter(&spec, &option)?;
        if let Some(profile) = profile_of(given) {
            return Err(
                contradiction(&option, &profile).hint("a profile says itself what becomes of refused calls")
            );
        }
        spec.error_action = action;
    }
    if !given.protocol.is_empty() {
        let list = given.protocol.join(",");
        spec.protocols = Protocol::list(&list)?;
        let option = format!("--protocol={list}");
        refuse_without_filter(&spec, &option)?;
        if let SeccompSpec::On(rules) = &spec.seccomp
            && let Some(call) = Protocol::lifted(rules)
        {
            return Err(contradiction(&option, &format!("--seccomp=!{call}")));
        }
    }
    spec.caps = match (given.caps_keep.as_slice(), given.caps_drop.as_slice()) {
        ([], []) => CapsSpec::default(),
        (keep, []) => CapsSpec::keep(&keep.join(","))?,
        ([], drop) => CapsSpec::drop(&drop.join(","))?,
        (keep, drop) => {
            return Err(contradiction(&list("--caps.keep", keep), &list("--caps.drop", drop)));
        }
    };
    spec.rlimits.clone_from(&given.rlimits.0);
    Ok(spec)
}

/// Every list of one kind together; a bare `--seccomp` is the default. Lists of two kinds contradict each other.
fn seccomp_of(given: &Filter) -> Result<SeccompSpec, Failure> {
    let changes: Vec<String> = given.seccomp.iter().filter(|list| *list != BARE).cloned().collect();
    let kinds = [
        ("--seccomp", &changes),
        ("--seccomp.keep", &given.seccomp_keep),
        ("--seccomp.drop", &given.seccomp_drop),
    ];
    let mut used = kinds.into_iter().filter(|(_, lists)| !lists.is_empty());
    let Some((kind, lists)) = used.next() else { return Ok(SeccompSpec::default()) };
    if let Some((other, others)) = used.next() {
        return Err(contradiction(&list(kind, lists), &list(other, others)));
    }
    let text = lists.join(",");
    match kind {
        "--seccomp.keep" => Rules::keep(&text).map(SeccompSpec::On),
        "--seccomp.drop" => Rules::drop(&text).map(SeccompSpec::On),
        _ if text == "none" && lists.len() < given.seccomp.len() => {
            Err(contradiction("--seccomp", "--seccomp=none"))
        }
        _ => text.parse(),
    }
}

/// The same with a profile in the place of the default list, where one was given.
fn profiled(seccomp: SeccompSpec, given: &Filter) -> Result<SeccompSpec, Failure> {
    let (Some(file), Some(option)) = (&given.seccomp_profile, profile_of(given)) else { return Ok(seccomp) };
    match seccomp {
        SeccompSpec::Off => Err(contradiction(&option, "--seccomp=none")),
        SeccompSpec::On(rules) => rules.with_profile(Profile::from_file(file)?).map(SeccompSpec::On),
    }
}

fn profile_of(given: &Filter) -> Option<String> {
    let file = given.seccomp_profile.as_ref()?;
    Some(format!("--seccomp-profile={}", printable(&file.to_string_lossy())))
}

fn refuse_without_filter(spec: &FilterSpec, option: &str) -> Result<(), Failure> {
    match spec.seccomp {
        SeccompSpec::Off => Err(contradiction(option, "--seccomp=none")),
        SeccompSpec::On(_) => Ok(()),
    }
}

fn list(option: &str, lists: &[String]) -> String {
    format!("{option}={}", lists.join(","))
}

fn contradiction(one: &str, other: &str) -> Failure {
    let message = format!("{one} and {other} contradict each other");
    Failure::new(Kind::Usage, "filter", "parse", one, message).hint("leave one of them out")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn filter(options: &str) -> Result<FilterSpec, Failure> {
        let words = ["jail", "run"].into_iter().chain(options.split_whitespace()).chain(["true"]);
        match Args::try_parse_from(words).unwrap().command {
            Command::Run(run) => filter_of(&run.filter),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bare_seccomp_is_the_default() {
        assert_eq!(filter("--seccomp").unwrap(), FilterSpec::default());
        assert_eq!(filter("--seccomp=none").unwrap().seccomp, SeccompSpec::Off);
        assert!(filter("--seccomp=no_such_call").is_err());
    }

    #[test]
    fn lists_of_one_kind_add_up_and_lists_of_two_contradict_each_other() {
        assert_eq!(
            filter("--seccomp.drop=mount --seccomp.drop=umount2").unwrap(),
            filter("--seccomp.drop=mount,umount2").unwrap()
        );
        for (options, named) in [
            ("--seccomp=none --seccomp.keep=read", "--seccomp.keep=read"),
            ("--seccomp.drop=mount --seccomp.keep=read", "--seccomp.drop=mount"),
            ("--caps.keep=chown --caps.drop=all", "--caps.drop=all"),
            ("--seccomp=none --protocol=unix", "--seccomp=none"),
            ("--seccomp=none --seccomp", "--seccomp and --seccomp=none"),
            ("--seccomp --seccomp=none", "--seccomp and --seccomp=none"),
            ("--seccomp=none --seccomp=mount", "--seccomp=none and --seccomp=mount"),
            ("--seccomp=mount --seccomp=none", "--seccomp=none and --seccomp=mount"),
            ("--seccomp=none --seccomp=none", "--seccomp=none is given twice"),
            ("--seccomp=none,mount", "--seccomp=none and --seccomp=mount"),
            ("--seccomp=none --seccomp-error-action=kill", "--seccomp=none"),
            ("--seccomp=none --seccomp-profile=/x", "--seccomp-profile=/x and --seccomp=none"),
            ("--seccomp=!socket --protocol=unix", "--protocol=unix and --seccomp=!socket"),
        ] {
            let failure = filter(options).unwrap_err();
            assert_eq!(failure.kind, Kind::Usage);
            assert!(failure.message.contains(named), "{failure}");
        }
    }

    #[test]
    fn limits_are_options_by_the_names_of_resources() {
        let spec = filter("--rlimit-nofile=64:128 --rlimit-as=1g").unwrap();
        let names: Vec<_> = spec.rlimits.iter().map(|limit| limit.resource.name()).collect();
        assert_eq!(names, ["as", "nofile"]);
    }
}
