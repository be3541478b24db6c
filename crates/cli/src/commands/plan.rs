//! `jail plan`, and the way from what was typed to a spec, which `run` goes as well.

use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use jail_core::spec::{Bind, FilterSpec, Grant, Net, SeccompSpec, Tmpfs, ViewSpec};
use jail_core::{Failure, Kind, Plan, Spec};

use super::{Call, block_on};
use crate::args::Run;
use crate::output;

pub(super) fn plan(call: &Call, run: Run) -> Result<ExitCode, Failure> {
    let spec = spec_of(call, run)?;
    let planned = block_on(Plan::make(&spec, &call.place))?;
    if call.json { output::json(&planned.plan) } else { output::lines(planned.plan.lines()) }
}

/// What was typed, as a spec.
pub(super) fn spec_of(call: &Call, run: Run) -> Result<Spec, Failure> {
    let mut spec = Spec::default();
    spec.view = view_of(&run)?;
    spec.filter = FilterSpec { seccomp: seccomp_of(&run.seccomp)?, ..FilterSpec::default() };
    spec.network.net = match run.net.as_str() {
        "none" => Net::None,
        "host" => Net::Host,
        name => Net::On(name.to_owned()),
    };
    spec.network.ip = run.ip;
    spec.network.gateway = run.defaultgw;
    spec.network.dns = run.dns;
    spec.network.publish = run.publish;
    spec.network.egress = run.egress;
    spec.backends = call.backends.clone();
    spec.name = run.name;
    spec.command = run.command;
    Ok(spec)
}

fn view_of(run: &Run) -> Result<ViewSpec, Failure> {
    let mut view = ViewSpec::default();
    for text in &run.grant {
        view.grants.push(grant_of(text)?);
    }
    for path in &run.read_write {
        view.grants.push(Grant { path: absolute("--read-write", path)?, writable: true });
    }
    for text in &run.bind {
        let (source, target) = text.split_once(',').unwrap_or((text, text));
        let (source, target) =
            (absolute("--bind", Path::new(source))?, absolute("--bind", Path::new(target))?);
        view.binds.push(Bind { source, target, writable: true });
    }
    for path in &run.read_only {
        view.read_only.push(absolute("--read-only", path)?);
    }
    for text in &run.tmpfs {
        let (target, size) = match text.split_once(":size=") {
            Some((target, size)) => (target, Some(size.to_owned())),
            None => (text.as_str(), None),
        };
        view.tmpfs.push(Tmpfs { target: absolute("--tmpfs", Path::new(target))?, size });
    }
    for path in &run.blacklist {
        view.blacklist.push(absolute("--blacklist", path)?);
    }
    Ok(view)
}

/// `P`, `P:ro` or `P:rw`.
fn grant_of(text: &str) -> Result<Grant, Failure> {
    let (path, writable) = match text.rsplit_once(':') {
        Some((path, "rw")) => (path, true),
        Some((path, "ro")) => (path, false),
        _ => (text, false),
    };
    Ok(Grant { path: absolute("--grant", Path::new(path))?, writable })
}

/// The user's path, made absolute; one that climbs up is refused rather than guessed at.
fn absolute(option: &str, path: &Path) -> Result<PathBuf, Failure> {
    let object = format!("{option}={}", path.display());
    if path.as_os_str().is_empty() || path.components().any(|part| part == Component::ParentDir) {
        let message = format!("{object}: a path without '..' is needed");
        return Err(Failure::new(Kind::Invalid, "filesystem", "read", object, message));
    }
    std::path::absolute(path).map_err(|error| Failure::call("filesystem", "getcwd", object, &error))
}

/// Every `--seccomp` given, together; a bare one is the default.
fn seccomp_of(given: &[String]) -> Result<SeccompSpec, Failure> {
    let lists: Vec<&str> = given.iter().map(String::as_str).filter(|list| !list.is_empty()).collect();
    if lists.is_empty() { Ok(SeccompSpec::default()) } else { lists.join(",").parse() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_read_only_unless_it_says_otherwise() {
        let grant = |text: &str| grant_of(text).unwrap();
        assert_eq!(grant("/srv/www"), Grant { path: "/srv/www".into(), writable: false });
        assert_eq!(grant("/srv/www:rw"), Grant { path: "/srv/www".into(), writable: true });
        assert_eq!(grant("/srv/a:b:ro"), Grant { path: "/srv/a:b".into(), writable: false });
        assert!(grant_of("../x").is_err());
        assert!(grant_of("").is_err());
    }

    #[test]
    fn a_bare_seccomp_is_the_default() {
        assert_eq!(seccomp_of(&[String::new()]).unwrap(), SeccompSpec::default());
        assert_eq!(seccomp_of(&["none".to_owned()]).unwrap(), SeccompSpec::Off);
        assert!(seccomp_of(&["no_such_call".to_owned()]).is_err());
    }
}
