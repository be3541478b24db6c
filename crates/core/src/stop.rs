//! Stopping a jail from outside: a request, then force, and back when nothing of it is left.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jail_net::backend::{Backend, Detach};
use jail_net::plugin;
use jail_sys::call::process;
use jail_sys::{Failure, Kind};

use crate::machine::Machine;
use crate::place::Place;
use crate::plan::Wanted;
use crate::reap;
use crate::registry::{Claim, Home, Registered};
use crate::status::{Status, since};
use crate::supervise::ended;

/// How long a jail that was asked to end has for that unless somebody says otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long a supervisor may take to undo: longer than all deadlines of its backends.
const UNDOING: Duration = Duration::from_secs(60);

/// Asks every process of the jail to end (SIGTERM), ends them by force after `patience`, and returns when nothing of it
/// is left on the host.
///
/// # Errors
/// When it is still starting, or something of it could not be removed.
pub async fn stop(place: &Place, jail: &Registered, patience: Duration) -> Result<(), Failure> {
    let (init, supervisor) = open(jail)?;
    if let Some(init) = init {
        // Only for others to see; that it cannot be written stops nobody.
        let _ = fs::write(jail.home.stopping(), "");
        end(&init, patience).await?;
    }
    if let Some(supervisor) = supervisor {
        end_supervisor(&supervisor, patience).await?;
    }
    settle(place, jail).await
}

/// Asks every process of a jail to end, and ends it by force after `patience`.
pub(crate) async fn end(init: &OwnedFd, patience: Duration) -> Result<(), Failure> {
    signal(init, libc::SIGTERM)?;
    if ended_within(init, patience).await? {
        return Ok(());
    }
    signal(init, libc::SIGKILL)?;
    ended(init).await
}

/// The supervisor of a jail that has ended ends by itself, unless nobody reads what the jail printed: then it is told to
/// leave it. One that cannot even do that is ended; what it would have undone is undone for it.
async fn end_supervisor(supervisor: &OwnedFd, patience: Duration) -> Result<(), Failure> {
    for (patience, request) in [(patience, libc::SIGTERM), (UNDOING, libc::SIGKILL)] {
        if ended_within(supervisor, patience).await? {
            return Ok(());
        }
        signal(supervisor, request)?;
    }
    ended(supervisor).await
}

pub(crate) async fn ended_within(pidfd: &OwnedFd, patience: Duration) -> Result<bool, Failure> {
    match tokio::time::timeout(patience, ended(pidfd)).await {
        Ok(ended) => ended.map(|()| true),
        Err(_) => Ok(false),
    }
}

/// The jail's first process and its supervisor, each unless it has ended. Opened first, then known by what only it has:
/// so the number was its own.
fn open(jail: &Registered) -> Result<(Option<OwnedFd>, Option<OwnedFd>), Failure> {
    let name = jail.plan.name.as_str();
    let Some(status) = &jail.status else {
        let message = format!("the jail {name} is still starting");
        return Err(Failure::new(Kind::Conflict, "state", "stop", name, message)
            .hint("try again when `jail list` shows it running"));
    };
    let supervisor = i32::try_from(status.supervisor).unwrap_or(-1);
    let (init, supervising) = (process::open(status.pid).ok(), process::open(supervisor).ok());
    Ok((
        init.filter(|_| jail.is_inhabited()),
        supervising.filter(|_| has_open(supervisor, &jail.home.lock()) || is_supervisor(status)),
    ))
}

/// The process that supervises a jail, by what only it has open.
pub(crate) fn supervisor_of(jail: &Home) -> Option<i32> {
    let pids =
        fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.into_iter().find(|pid| has_open(*pid, &jail.lock()))
}

/// Whether the process of the supervisor's number is still the supervisor: an ordinary user may not see what it has open.
fn is_supervisor(status: &Status) -> bool {
    status.supervisor_since.is_some() && since(status.supervisor) == status.supervisor_since
}

/// Whether the process has this file open.
fn has_open(pid: i32, file: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    let (Some(file), Ok(open)) = (identity(file), fs::read_dir(format!("/proc/{pid}/fd"))) else {
        return false;
    };
    open.flatten().any(|entry| identity(&entry.path()) == Some(file))
}

fn signal(pidfd: &OwnedFd, signal: i32) -> Result<(), Failure> {
    match process::send_signal(pidfd.as_fd(), signal) {
        Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
            Err(Failure::call("state", "pidfd_send_signal", "the jail", &error))
        }
        _ => Ok(()),
    }
}

/// Sees to it that nothing is left: what a supervisor that was killed meanwhile left, and links that go with their
/// namespace in the background.
async fn settle(place: &Place, jail: &Registered) -> Result<(), Failure> {
    if jail.home.path().exists()
        && let Claim::Dead(home, lock) = place.registry().claim(&jail.plan.name)?
    {
        reap::one(&home, lock, place, &Machine::open()?).await?;
    }
    if let Wanted::Dmz(network) = &jail.plan.network {
        let links: BTreeSet<&PathBuf> = network.attachments.iter().map(|one| &one.link.path).collect();
        for link in links {
            plugin::load(link)?.detach(jail.id(), None, Detach { wait: true, last: false }).await?;
        }
    }
    Ok(())
}
