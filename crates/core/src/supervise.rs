//! `Running`: a jail that runs, in the hands of whoever started it. It is waited for here, or handed over to the small
//! supervisor that this process becomes.

use std::ffi::{CString, NulError, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use jail_sys::call::event::readable;
use jail_sys::call::process::{self, Ended};
use jail_sys::helper::{self, End, SuperviseArgs};
use jail_sys::lease::Lease;
use jail_sys::{Failure, Kind};
use nix::sys::timer::TimerSetTimeFlags;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags};

use crate::identity::Timeout;
use crate::journal::{Entry, Journal};
use crate::launch::Up;
use crate::machine::Machine;
use crate::network::Undoing;
use crate::place::Place;
use crate::plan::Plan;
use crate::registry::Home;
use crate::status::Status;
use crate::stop::{self, PATIENCE, ended_within};

/// A jail that runs. Dropping it ends the jail, and leaves what the host was given to the next start or `gc`.
#[derive(Debug)]
pub struct Running {
    pub(crate) plan: Plan,
    pub(crate) home: Home,
    pub(crate) lock: Lease,
    pub(crate) machine: Machine,
    pub(crate) plugin_dirs: Vec<PathBuf>,
    pub(crate) journal: Journal,
    pub(crate) up: Up,
}

impl Running {
    /// What it was planned to be, its name decided.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What it is.
    pub fn status(&self) -> &Status {
        &self.up.status
    }

    /// Its first process, for signals.
    pub fn init(&self) -> BorrowedFd<'_> {
        self.up.init.as_fd()
    }

    /// Ends it at once, and takes back what the host was given.
    ///
    /// # Errors
    /// What could not be taken back; `jail gc` tries again.
    pub async fn end(self) -> Result<(), Failure> {
        // It is gone already if this fails.
        let _ = process::send_signal(self.up.init.as_fd(), libc::SIGKILL);
        self.wait().await.map(|_| ())
    }

    /// Waits until its last process has ended, or its time is up and it has been ended, takes back what the host was given, and answers the command's exit
    /// status: 128+n when signal n ended it. Nothing is copied meanwhile: it is for jails started with
    /// [`Streams::Null`](crate::Streams::Null).
    ///
    /// # Errors
    /// What could not be taken back; `jail gc` tries again.
    pub async fn wait(self) -> Result<i32, Failure> {
        let Running { plan, home, lock, machine, plugin_dirs, journal, up } = self;
        if let Some(timeout) = plan.timeout
            && !ended_within(&up.init, timeout.duration()).await?
        {
            stop::end(&up.init, PATIENCE).await?;
        }
        let ended = exit_of(&up.init).await?;
        let undo = Undoing { id: &plan.id, machine: &machine, plugin_dirs: &plugin_dirs, ours: true };
        undo.all(journal.entries()).await?;
        home.remove()?;
        drop((lock, up.held, up.lifeline));
        Ok(ended.0)
    }

    /// Becomes the small supervisor: this process keeps its pid, its locks and the lifeline, and nothing else. When the
    /// jail ends, it becomes `program` again, with `argv` and the exit status, if there is a network to take back, and
    /// removes the jail's files itself otherwise. Returns only if that failed; then [`Running::end`] is what is left.
    pub fn hand_over(&self, program: &File, argv: &[OsString]) -> Failure {
        let failed = |error: &io::Error| Failure::call("state", "execve", "the supervisor", error);
        let networked = |entry: &Entry| !matches!(entry, Entry::Lease { .. });
        let end = if self.journal.entries().iter().any(networked) {
            let argv: Result<Vec<_>, _> = argv.iter().map(|text| CString::new(text.as_bytes())).collect();
            argv.map(|argv| End::Finish { program: program.as_raw_fd(), argv })
        } else {
            self.leftovers().map(|remove| End::Exit { remove })
        };
        let end = match end {
            Ok(end) => end,
            Err(error) => return failed(&error.into()),
        };
        let timer = match self.plan.timeout.map(timer).transpose() {
            Ok(timer) => timer,
            Err(error) => return failed(&error),
        };
        let up = &self.up;
        let keep = [self.lock.as_fd().as_raw_fd(), up.lifeline.as_raw_fd()];
        let args = SuperviseArgs {
            init: up.init.as_raw_fd(),
            keep: keep.into_iter().chain(up.held.iter().map(AsRawFd::as_raw_fd)).collect(),
            terminal: up.wired.terminal.as_ref().map(AsRawFd::as_raw_fd),
            timer: timer.as_ref().map(|timer| timer.as_fd().as_raw_fd()),
            relays: up.wired.relays(),
            end,
        };
        become_supervisor(&args)
    }

    /// Every file that stands for the jail, the lock and the directory last.
    fn leftovers(&self) -> Result<Vec<CString>, NulError> {
        let leases = self.journal.entries().iter().rev().filter_map(|entry| match entry {
            Entry::Lease { path } => Some(path.clone()),
            _ => None,
        });
        let files = leases.chain(self.home.files()).chain([self.home.path().to_owned()]);
        files.map(|path: PathBuf| CString::new(path.into_os_string().as_bytes())).collect()
    }
}

/// A timer that expires when a jail's time is up, and again when it has had time to end.
fn timer(timeout: Timeout) -> io::Result<TimerFd> {
    let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC)?;
    let (first, next) = (timeout.duration().into(), PATIENCE.into());
    timer.set(Expiration::IntervalDelayed(first, next), TimerSetTimeFlags::empty())?;
    Ok(timer)
}

/// Takes back what a jail gave the host, as the process that held its locks while it ran.
///
/// # Errors
/// What could not be taken back; `jail gc` tries again.
pub async fn finish(place: &Place, name: &str) -> Result<(), Failure> {
    let home = place.registry().home(name);
    let Some(plan) = home.plan()? else {
        let message = format!("there is no jail {name} to finish");
        return Err(Failure::new(Kind::NotFound, "state", "finish", name, message));
    };
    let machine = Machine::look();
    let undo = Undoing { id: &plan.id, machine: &machine, plugin_dirs: &place.plugin_dirs, ours: true };
    undo.all(&Journal::read(&home.journal())?).await?;
    home.remove()
}

/// Becomes the small supervisor; returns only if that failed.
pub(crate) fn become_supervisor(args: &SuperviseArgs) -> Failure {
    let (operation, error) = match helper::sealed("jail") {
        Ok(image) => ("execve", helper::become_supervisor(args, image.as_fd())),
        Err(error) => ("memfd_create", error),
    };
    Failure::call("state", operation, "the supervisor", &error)
}

/// Waits for a child's end.
pub(crate) async fn exit_of(pidfd: &OwnedFd) -> Result<Ended, Failure> {
    ended(pidfd).await?;
    process::wait(pidfd.as_fd()).map_err(|error| Failure::call("command", "waitid", "the jail", &error))
}

/// Waits until a process, of whoever's, has ended.
pub(crate) async fn ended(pidfd: &OwnedFd) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::call("command", "poll", "the jail", &error);
    readable(pidfd.try_clone().map_err(failed)?).await.map_err(failed)
}
