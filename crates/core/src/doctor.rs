//! What this host lacks for jails, found by starting some and asking the backends; never by looking at versions.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jail_filter::{Enforced, LandlockPlan};
use jail_net::backend::{Role, Support};
use jail_net::plugin::Found;
use jail_sys::Failure;
use serde::Serialize;

use crate::caller::Caller;
use crate::launch::start;
use crate::network;
use crate::place::Place;
use crate::plan::Plan;
use crate::spec::{Grant, Spec, Userns};
use crate::streams::Streams;

/// Where what services are granted usually lies: those on file systems of their own are tried.
const GRANTED_FROM: [&str; 5] = ["/srv", "/var/log", "/home", "/opt", "/etc"];

/// One thing that was tried on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was tried.
    pub tried: String,
    /// What came of it.
    pub state: State,
    /// What there is, or what is wrong, in words.
    pub found: String,
    /// What to do where it is not all there; empty where there is nothing to do.
    pub remedy: String,
}

/// What came of trying something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is all there.
    Works,
    /// Jails start and hold; some of it is not there.
    Partly,
    /// Jails do not start, or not with the option that needs it.
    Lacks,
}

impl Finding {
    fn works(tried: impl Into<String>, found: impl Into<String>) -> Self {
        Finding { tried: tried.into(), state: State::Works, found: found.into(), remedy: String::new() }
    }

    fn lacks(tried: impl Into<String>, failure: &Failure) -> Self {
        let (found, remedy) = (failure.message.clone(), failure.hint.clone());
        Finding { tried: tried.into(), state: State::Lacks, found, remedy }
    }
}

/// Tries what jails need: starts some that end at once, and asks the backends. Leaves nothing on the host.
pub async fn doctor(place: &Place) -> Vec<Finding> {
    let root = Caller::now().is_root();
    let mut findings = by_defaults(place).await;
    // Where that does not start, what starts with an option tells nothing more.
    if root && findings[0].state == State::Works {
        findings.extend(grants(place).await);
        findings.push(other_ids(place).await);
    }
    if root {
        findings.extend(backends(place).await);
    }
    findings.extend(left_behind(place));
    findings
}

async fn by_defaults(place: &Place) -> Vec<Finding> {
    let tried = "a jail by its defaults";
    match started(Spec::default(), place).await {
        Ok(plan) => {
            let filter = plan.filter.lines().into_iter().next().unwrap_or_default();
            let mut findings = vec![Finding::works(tried, format!("{}; {filter}", plan.userns.line()))];
            findings.extend(plan.filter.landlock.as_ref().map(second_wall));
            findings
        }
        Err(failure) => vec![Finding::lacks(tried, &failure)],
    }
}

/// Starts a jail whose command does nothing, and waits until nothing is left of it.
async fn started(mut spec: Spec, place: &Place) -> Result<Plan, Failure> {
    spec.command = vec!["true".to_owned()];
    let planned = Plan::make(&spec, place).await?;
    let running = start(&planned, place, Streams::Null, &mut []).await?;
    running.wait().await?;
    Ok(planned.plan)
}

fn second_wall(wall: &LandlockPlan) -> Finding {
    let (state, remedy) = match wall.enforced {
        Enforced::Fully => (State::Works, ""),
        Enforced::Partially => (State::Partly, "a later kernel has it"),
        Enforced::Not => (
            State::Partly,
            "a kernel that has Landlock may be told to use it, by lsm= on its command line; without it jails write to FIFOs in what they are shown, and call the host's abstract sockets with --net=host",
        ),
    };
    Finding { tried: "a second wall".to_owned(), state, found: wall.line(), remedy: remedy.to_owned() }
}

/// One grant from each file system: whether its owners can be mapped is the file system's to say.
async fn grants(place: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in one_of_each_file_system() {
        let option = format!("--grant={}", path.display());
        let mut spec = Spec::default();
        spec.view.grants = vec![Grant { path, writable: false }];
        findings.push(match started(spec, place).await {
            Ok(_) => Finding::works(option, "its file system maps owners"),
            Err(failure) => Finding::lacks(option, &failure),
        });
    }
    findings
}

fn one_of_each_file_system() -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let there = GRANTED_FROM.iter().map(Path::new).filter_map(|path| Some((path, path.metadata().ok()?)));
    let new = there.filter(|(_, about)| about.is_dir() && seen.insert(about.dev()));
    new.map(|(path, _)| path.to_owned()).collect()
}

async fn other_ids(place: &Place) -> Finding {
    let option = "--userns=identity";
    let mut spec = Spec::default();
    spec.identity.userns = Userns::Identity;
    match started(spec, place).await {
        Ok(_) => Finding::works(option, "overlays take directories with mapped owners"),
        Err(failure) => Finding::lacks(option, &failure),
    }
}

/// What each backend says of this host. One that cannot work is lacking where no other has its role.
async fn backends(place: &Place) -> Vec<Finding> {
    let found = match network::backends(place).await {
        Ok(found) => found,
        Err(failure) => return vec![Finding::lacks("backends", &failure)],
    };
    let usable =
        |role| found.iter().any(|one| matches!(&one.result, Ok((about, Support::Yes)) if about.role == role));
    let firewall = usable(Role::Firewall);
    found.iter().map(|backend| of_backend(backend, firewall)).collect()
}

fn of_backend(backend: &Found, firewall: bool) -> Finding {
    let tried = format!("--backend={}", backend.name);
    match &backend.result {
        Ok((about, Support::Yes)) => Finding::works(tried, about.summary.clone()),
        Ok((about, Support::No { reason, hint })) => {
            let spare = about.role == Role::Firewall && firewall;
            let state = if spare { State::Partly } else { State::Lacks };
            Finding { tried, state, found: reason.clone(), remedy: hint.clone() }
        }
        Err(failure) => Finding::lacks(tried, failure),
    }
}

/// Jails that ended without being cleared up.
fn left_behind(place: &Place) -> Vec<Finding> {
    let tried = "what jails leave";
    match place.registry().left_behind() {
        Ok(dead) => dead.iter().map(|dead| Finding::lacks(tried, dead)).collect(),
        Err(failure) => vec![Finding::lacks(tried, &failure)],
    }
}
