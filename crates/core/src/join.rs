//! Joining a jail: one more process in it, under the very same maps, capabilities, filters and limits.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use jail_ns::join::{self, Join};
use jail_ns::spawn;
use jail_sys::call::process;
use jail_sys::helper::{End, SuperviseArgs};
use jail_sys::launch::launch;
use jail_sys::{Failure, Kind, helper};

use crate::caller::Caller;
use crate::identity::paths_of;
use crate::launch::{payload, turn_of};
use crate::names::argv_of;
use crate::plan::{Plan, Wanted};
use crate::processes::open_inside;
use crate::registry::Registered;
use crate::status::namespace;
use crate::streams::{Streams, Wired};
use crate::supervise::{become_supervisor, exit_of};
use crate::user::User;
use crate::userns::{Userns, may_own_ours};

/// A process that joined a jail; a child of this process.
#[derive(Debug)]
pub struct Joined {
    process: OwnedFd,
    wired: Wired,
}

/// Runs a command (a shell when it is empty) in a jail.
///
/// # Errors
/// When the jail is gone or still starts, or the command cannot be executed (then [`Failure::stage`] is `command`).
pub async fn join(jail: &Registered, command: &[String]) -> Result<Joined, Failure> {
    let name = &jail.plan.name;
    let Some(status) = &jail.status else {
        let message = format!("the jail {name} is still starting");
        return Err(Failure::new(Kind::Conflict, "namespace", "join", name.as_str(), message)
            .hint("try again when `jail list` shows it running"));
    };
    let gone = || {
        Failure::new(
            Kind::NotFound,
            "namespace",
            "join",
            name.as_str(),
            format!("the jail {name} has just ended"),
        )
    };
    let init = process::open(status.pid).map_err(|_| gone())?;
    // The pidfd stands for the process that this is asked of, whatever becomes of the number.
    if namespace(status.pid, "pid") != jail.pid_namespace() {
        return Err(gone());
    }
    let flags = libc::O_RDONLY | libc::O_DIRECTORY;
    let devpts = open_inside(status.pid, Path::new("dev/pts"), flags).map_err(|_| gone())?;
    let User { uid, gid, .. } = &jail.plan.user;
    let wired = Wired::new(Streams::Caller, &status.ids, (*uid, *gid), devpts.as_fd())?;
    let plan =
        if command.is_empty() { shell(&jail.plan) } else { with_command(&jail.plan, argv_of(command)?) };
    let own_network = !matches!(plan.network, Wanted::Host);
    let own_ids = if plan.userns == Userns::Host { 0 } else { libc::CLONE_NEWUSER };
    let through = may_own_ours(&status.ids).then(|| helper::sealed("jail-exec")).transpose();
    let through = through.map_err(|error| Failure::call("command", "memfd_create", name.as_str(), &error))?;
    let program = join::program(Join {
        pidfd: init.as_raw_fd(),
        namespaces: spawn::namespaces(own_network) | own_ids,
        change_ids: plan.userns != Userns::Own,
        confine: plan.filter.steps()?,
        payload: payload(&plan, &wired, through.as_ref().map(AsRawFd::as_raw_fd))?,
    });
    let _turn = turn_of(Caller::now()).await;
    let started = launch(program, 0)?.outcome().map_err(|failure| match failure.errno {
        Some(libc::ESRCH) => gone(), // between our look and its setns
        _ => failure,
    })?;
    let pid = started.second.unwrap_or_default();
    let process =
        process::open(pid).map_err(|error| Failure::call("command", "pidfd_open", name.as_str(), &error))?;
    Ok(Joined { process, wired: wired.started() })
}

impl Joined {
    /// Waits until it has ended, and answers its exit status: 128+n when signal n ended it. Nothing is copied meanwhile: it
    /// is for who has no terminal, and whose standard descriptors nobody waits at.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn wait(self) -> Result<i32, Failure> {
        Ok(exit_of(&self.process).await?.0)
    }

    /// Becomes the small supervisor, which copies its terminal and ends with its exit status. Returns only if that failed.
    pub fn hand_over(self) -> Failure {
        let args = SuperviseArgs {
            init: self.process.as_raw_fd(),
            keep: Vec::new(),
            terminal: self.wired.terminal.as_ref().map(AsRawFd::as_raw_fd),
            timer: None,
            relays: self.wired.relays(),
            end: End::Exit { remove: Vec::new() },
        };
        become_supervisor(&args)
    }
}

/// bash where it is, as an administrator expects; sh otherwise.
fn shell(plan: &Plan) -> Plan {
    Plan {
        paths: vec!["/bin/bash".to_owned(), "/bin/sh".to_owned()],
        ..with_command(plan, vec!["bash".to_owned()])
    }
}

fn with_command(plan: &Plan, argv: Vec<String>) -> Plan {
    let paths = paths_of(&argv, &plan.environment);
    // The descriptors that the jail was started with are not this process's.
    Plan { command: argv.join(" "), paths, argv, keep_fds: Vec::new(), ..plan.clone() }
}
