//! Starting a jail: the plan's stages in order, and everything undone again when one of them fails.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, PipeWriter, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use jail_ns::payload::{self, Payload};
use jail_ns::spawn::{self, Start, UserNamespace};
use jail_sys::call::event::readable;
use jail_sys::call::process;
use jail_sys::launch::{Launched, launch};
use jail_sys::lease::Lease;
use jail_sys::op::Step;
use jail_sys::{Failure, Kind, helper};

use tokio::sync::{Mutex, MutexGuard};

use crate::caller::Caller;
use crate::journal::Journal;
use crate::keep::KeptFd;
use crate::machine::Machine;
use crate::network::{NetworkStage, Undoing};
use crate::place::Place;
use crate::plan::{Plan, Planned, Wanted, new_id};
use crate::reap;
use crate::registry::{Claim, Home};
use crate::stage::{Child, Files, Filter, Setup, Stage};
use crate::status::Status;
use crate::streams::{Streams, Wired};
use crate::supervise::Running;
use crate::tell::Tell;
use crate::user::User;
use crate::userns::{Ids, may_own_ours};

/// An ordinary user's starts and joins come one after the other, each up to its outcome: see [`spawn::program`]. Nobody
/// waits for this on a thread: what holds it may be another task of the same one.
pub(crate) async fn turn_of(caller: Caller) -> Option<MutexGuard<'static, ()>> {
    static TURN: Mutex<()> = Mutex::const_new(());
    match caller {
        Caller::User { .. } => Some(TURN.lock().await),
        Caller::Root => None,
    }
}

/// Starts a jail; Ok once its command has been executed. What a failed start gave the host is taken back.
///
/// `own` are stages of the embedder's: their steps come after ours.
///
/// # Errors
/// What could not be had or done. [`Failure::stage`] is `command` when the command itself could not be executed.
pub async fn start(
    planned: &Planned,
    place: &Place,
    streams: Streams,
    own: &mut [Box<dyn Stage>],
) -> Result<Running, Failure> {
    match attempt(planned, place, streams, own).await {
        Err(failure) if failure.kind == Kind::Conflict => {
            make_room(planned, place).await;
            attempt(planned, place, streams, own).await
        }
        other => other,
    }
}

/// Removes what dead jails left that may be in the way; living ones are left alone. A full sweep never stands in the way
/// of a start that has no such trouble, or no network.
///
/// What it removes does not say whether there is room now: the undo of the attempt before may have removed it already.
/// What could not be removed is still in the way, and the next attempt says so.
async fn make_room(planned: &Planned, place: &Place) {
    let _ = match &planned.backends {
        Some(_) => reap::gc(place).await,
        None => reap::dead(place).await,
    };
}

async fn attempt(
    planned: &Planned,
    place: &Place,
    streams: Streams,
    own: &mut [Box<dyn Stage>],
) -> Result<Running, Failure> {
    let machine = Machine::open()?;
    // Another id each time: what the attempt before gave the host may still be on its way out.
    let mut plan = Plan { id: new_id()?, ..planned.plan.clone() };
    let (home, lock) = claim(&mut plan, planned.named, place, &machine).await?;
    let mut journal = match Journal::create(home.journal()) {
        Ok(journal) => journal,
        Err(failure) => return Err(home.remove().err().unwrap_or(failure)),
    };
    let mut network = network_stage(planned, &plan, place, &machine);
    let tell = &planned.tell;
    tell.step("state", "claim name", || &plan.name);
    let claimed = Claimed { plan: &plan, home: &home, machine: &machine, tell };
    let up = claimed.bring_up(streams, &mut journal, network.as_mut(), own).await;
    match up {
        Ok(up) => {
            Ok(Running { plan, home, lock, machine, plugin_dirs: place.plugin_dirs.clone(), journal, up })
        }
        Err(failure) => {
            let undo =
                Undoing { id: &plan.id, machine: &machine, plugin_dirs: &place.plugin_dirs, ours: true };
            match undo.all(journal.entries()).await.and_then(|()| home.remove()) {
                Ok(()) => Err(failure),
                // The failure that began it is the one to tell; the journal stays for who tries again.
                Err(left) => {
                    let left = format!("something of it is left ({}): jail gc removes it", left.message);
                    let hint = [failure.hint.as_str(), &left].into_iter().filter(|hint| !hint.is_empty());
                    let hint = hint.collect::<Vec<_>>().join("; ");
                    Err(failure.hint(hint))
                }
            }
        }
    }
}

/// Claims the plan's name, or the next free one after it when the user named none.
async fn claim(
    plan: &mut Plan,
    named: bool,
    place: &Place,
    machine: &Machine,
) -> Result<(Home, Lease), Failure> {
    let registry = place.registry();
    let base = plan.name.clone();
    for number in 2_u32.. {
        match registry.claim(&plan.name)? {
            Claim::Ours(home, lease) => return Ok((home, lease)),
            Claim::Dead(home, lease) => {
                reap::one(&home, lease, place, machine).await?;
                // Its directory went with it; make it again.
                if let Claim::Ours(home, lease) = registry.claim(&plan.name)? {
                    return Ok((home, lease));
                }
            }
            Claim::Taken => {}
        }
        if named {
            break;
        }
        plan.name = format!("{base}-{number}");
    }
    let name = &plan.name;
    let message = format!("--name={name}: a jail of that name is running");
    Err(Failure::new(Kind::Conflict, "state", "claim name", format!("--name={name}"), message)
        .hint(format!("choose another, or stop it: jail stop {name}")))
}

fn network_stage<'a>(
    planned: &'a Planned,
    plan: &Plan,
    place: &'a Place,
    machine: &Machine,
) -> Option<NetworkStage<'a>> {
    let (Wanted::Dmz(wanted), Some(backends)) = (&planned.plan.network, &planned.backends) else {
        return None;
    };
    let (id, name) = (plan.id.clone(), plan.name.clone());
    Some(NetworkStage::new(id, name, wanted, backends, machine.clone(), place))
}

/// What a start leaves running.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) status: Status,
    pub(crate) init: OwnedFd,
    pub(crate) lifeline: PipeWriter,
    pub(crate) held: Vec<OwnedFd>,
    pub(crate) wired: Wired,
}

/// A name that is ours, and what is started under it.
struct Claimed<'a> {
    plan: &'a Plan,
    home: &'a Home,
    machine: &'a Machine,
    tell: &'a Tell,
}

impl Claimed<'_> {
    /// Runs the stages. On an error the child is gone, and what is in the journal is to be undone.
    async fn bring_up(
        &self,
        streams: Streams,
        journal: &mut Journal,
        mut network: Option<&mut NetworkStage<'_>>,
        own: &mut [Box<dyn Stage>],
    ) -> Result<Up, Failure> {
        let Claimed { plan, home, machine, tell } = *self;
        home.write_plan(plan)?;
        let holder = format!("{} {}", plan.name, plan.id);
        let ids = Ids::make(plan.userns, &machine.uids(), &holder, journal)?;
        if let Some(lease) = &ids.lease {
            tell.step("namespace", "lease uid range", || lease.path().display());
        }
        let mut setup = Setup::new(&plan.id, plan.hostname(), &ids);
        Files(&plan.view).prepare(&mut setup).await?;
        Filter(&plan.filter).prepare(&mut setup).await?;
        for stage in own.iter_mut() {
            stage.prepare(&mut setup).await?;
        }
        let wired = setup.wire(streams, &plan.user)?;
        tell.step("filesystem", "open_tree", || format!("{} trees of the host's", setup.held.len()));
        let _turn = turn_of(Caller::now()).await;
        let (child, ready, lifeline) = clone(plan, setup, &wired)?;
        tell.step("namespace", "clone3", || format!("process {}", child.pid()));
        let netns = own_namespace(plan, child.pid())?;
        let waiting = Child { pid: child.pid(), netns: netns.as_ref().map(AsFd::as_fd) };
        if let Some(network) = network.as_deref_mut() {
            network.attach(&waiting, journal).await?;
            network.done().for_each(|word| tell.step("network", "attach", || word));
        }
        for stage in own.iter_mut() {
            stage.attach(&waiting, journal).await?;
        }
        drop(netns);
        let started = run_command(child, ready, tell).await?;
        let map = ids.map;
        let mut held: Vec<_> = ids.lease.into_iter().map(Lease::into_fd).collect();
        let (request, interfaces) = network.as_mut().map(|network| network.outcome()).unwrap_or_default();
        held.extend(network.into_iter().flat_map(Stage::keep));
        held.extend(own.iter_mut().flat_map(|stage| stage.keep()));
        let status = Status::of(started.pid, map, request, interfaces);
        if let Err(failure) = home.write_status(&status) {
            drop(lifeline);
            // It ends with its lifeline; only then are its ids and its address nobody's.
            let _ = process::wait(started.pidfd.as_fd());
            return Err(failure);
        }
        Ok(Up { status, init: started.pidfd, lifeline, held, wired: wired.started() })
    }
}

/// Clones the jail's first process. It waits for a byte in the answered pipe once its files are in place, and lives for
/// as long as the second pipe is open.
///
/// Of `locks` the child keeps no copy: they end with us, also while it is being set up.
fn clone(
    plan: &Plan,
    setup: Setup<'_>,
    wired: &Wired,
) -> Result<(Launched, PipeWriter, PipeWriter), Failure> {
    let failed = |error: io::Error| Failure::call("namespace", "pipe2", "jail", &error);
    let (wait, ready) = io::pipe().map_err(failed)?;
    let (lifeline, alive) = io::pipe().map_err(failed)?;
    let init = helper::sealed("jail-init")
        .map_err(|error| Failure::call("namespace", "memfd_create", "the jail's init", &error))?;
    let through = may_own_ours(&setup.ids).then_some(&init);
    let own_network = !matches!(plan.network, Wanted::Host);
    let (user, also) = match (Caller::now(), setup.user) {
        (Caller::User { uid, gid }, _) => (UserNamespace::Own { uid, gid }, libc::CLONE_NEWUSER),
        (Caller::Root, Some(user)) => (UserNamespace::Joined(user.as_raw_fd()), 0),
        (Caller::Root, None) => (UserNamespace::Callers, 0),
    };
    let program = spawn::program(Start {
        hostname: plan.hostname(),
        own_network,
        files: setup.files,
        ready: Some(wait.as_raw_fd()),
        user,
        confine: setup.confine,
        payload: payload(plan, wired, through.map(|helper| helper.as_raw_fd()))?,
        lifeline: lifeline.as_raw_fd(),
        init: init.as_raw_fd(),
    });
    let child = launch(program, spawn::namespaces(own_network) | also)?;
    // The child has its own copies of everything else by now; only what it names by path is looked up later.
    Ok((child, ready, alive))
}

/// The command as the child executes it.
pub(crate) fn payload(plan: &Plan, wired: &Wired, through: Option<RawFd>) -> Result<Payload, Failure> {
    let texts = |texts: &[String]| {
        texts.iter().map(|text| CString::new(text.as_str())).collect::<Result<Vec<_>, _>>()
    };
    let User { uid, gid, groups, .. } = &plan.user;
    let built = || {
        Ok::<_, std::ffi::NulError>(Payload {
            paths: texts(&plan.paths)?,
            argv: texts(&plan.argv)?,
            envp: texts(&plan.environment)?,
            user: payload::User { uid: *uid, gid: *gid, groups: groups.clone() },
            cwd: CString::new(plan.cwd.as_str())?,
            stdio: wired.stdio,
            keep: plan.keep_fds.iter().map(KeptFd::number).collect(),
            through,
            terminal: wired.terminal.is_some(),
        })
    };
    built().map_err(|_| {
        Failure::new(
            Kind::Invalid,
            "command",
            "execve",
            plan.command.as_str(),
            "the command holds a NUL byte",
        )
    })
}

/// The child's own network namespace.
fn own_namespace(plan: &Plan, pid: i32) -> Result<Option<File>, Failure> {
    if !matches!(plan.network, Wanted::Dmz(_)) {
        return Ok(None);
    }
    let path = format!("/proc/{pid}/ns/net");
    File::open(&path).map(Some).map_err(|error| Failure::call("network", "open", path, &error))
}

/// Tells the child that its network is ready, and waits until its command has been executed.
async fn run_command(
    child: Launched,
    mut ready: PipeWriter,
    tell: &Tell,
) -> Result<jail_sys::launch::Started, Failure> {
    // A child that failed already reads nothing; its report says why.
    let _ = ready.write_all(&[0]);
    let failed = |error: io::Error| Failure::call("namespace", "poll", "jail", &error);
    let report = child.report().try_clone_to_owned().map_err(failed)?;
    readable(report).await.map_err(failed)?;
    let mut told = |step: &Step| tell.step(step.stage, step.op.name(), || &step.object);
    child.outcome_told(if tell.is_heard() { Some(&mut told) } else { None })
}
