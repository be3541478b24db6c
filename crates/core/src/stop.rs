//! Stopping a jail from outside: a request, then force, and back when nothing of it is left.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use jail_net::backend::{Backend, Detach};
use jail_net::plugin;
use jail_sys::call::process;
use jail_sys::{Failure, Kind};

use crate::machine::Machine;
use crate::place::Place;
use crate::plan::Wanted;
use crate::reap;
use crate::registry::{Claim, Registered};
use crate::status::namespace;
use crate::supervise::ended;

/// How long a jail that was asked to end has for that unless somebody says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Asks every process of the jail to end (SIGTERM), ends them by force after `patience`, and returns when nothing of it
/// is left on the host.
///
/// # Errors
/// When it is still starting, or something of it could not be removed.
pub async fn stop(place: &Place, jail: &Registered, patience: Duration) -> Result<(), Failure> {
    let (init, supervisor) = open(jail)?;
    // Only for others to see; that it cannot be written stops nobody.
    let _ = fs::write(jail.home.stopping(), "");
    end(&init, patience).await?;
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
    for request in [libc::SIGTERM, libc::SIGKILL] {
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

/// The jail's first process and its supervisor. The jail lives at the end of it, so the numbers were its own.
fn open(jail: &Registered) -> Result<(OwnedFd, Option<OwnedFd>), Failure> {
    let name = &jail.plan.name;
    let refused = |kind, message: String| Failure::new(kind, "state", "stop", name.as_str(), message);
    let Some(status) = &jail.status else {
        return Err(refused(Kind::Conflict, format!("the jail {name} is still starting"))
            .hint("try again when `jail list` shows it running"));
    };
    let init = process::open(status.pid);
    let supervisor = process::open(i32::try_from(status.supervisor).unwrap_or(-1)).ok();
    match init {
        Ok(init) if namespace(status.pid, "pid") == jail.pid_namespace() => Ok((init, supervisor)),
        _ => Err(refused(Kind::NotFound, format!("the jail {name} has just ended"))),
    }
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
        let link = plugin::load(&network.link.path)?;
        link.detach(jail.id(), None, Detach { wait: true, last: false }).await?;
    }
    Ok(())
}
