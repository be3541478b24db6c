//! The commands: one file each, or a few that say much the same.

mod confine;
mod doctor;
pub(crate) mod finish;
mod interfaces;
mod join;
mod list;
mod manage;
mod net;
mod plan;
mod run;
mod view;

use std::process::ExitCode;

use jail_core::{Failure, Place};
use jail_sys::call::fd::keep_to_ourselves;

use crate::args::{Args, Command};

/// What every command is told besides its own options.
struct Call {
    place: Place,
    backends: Vec<String>,
    json: bool,
    quiet: bool,
    debug: bool,
}

/// Does what was asked, and answers the exit status.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    keep_descriptors()?;
    let place = Place::new(args.state_dir.as_deref(), &args.plugin_dir)?;
    let call = Call { place, backends: args.backend, json: args.json, quiet: args.quiet, debug: args.debug };
    match args.command {
        Command::Run(run) => run::run(&call, *run),
        Command::Plan(run) => plan::plan(&call, *run),
        Command::List => list::list(&call),
        Command::Tree { jail } => list::tree(&call, jail.as_deref()),
        Command::Inspect { jail } => list::inspect(&call, &jail),
        Command::Join { jail, command } => join::join(&call, &jail, &command),
        Command::Stop { jails, timeout } => manage::stop(&call, &jails, timeout),
        Command::Net(net) => net::net(&call, net),
        Command::Doctor => doctor::doctor(&call),
        Command::Gc => manage::gc(&call),
        Command::Backends => manage::backends(&call),
    }
}

/// Locks and held ports of a jail that ends here must end with us, and not with the last program we ran.
fn keep_descriptors() -> Result<(), Failure> {
    keep_to_ourselves().map_err(|error| Failure::call("state", "close_range", "descriptors", &error))
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Runs to its end on this thread: the command line needs no other.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::call("state", "epoll_create", "jail", &error))?;
    let result = runtime.block_on(work);
    // A thread that waits for something still is not waited for: a lock, a plugin that does not come back.
    runtime.shutdown_background();
    result
}

/// What is the whole host's takes root, and says so before anything else goes wrong for want of it.
fn need_root() -> Result<(), Failure> {
    need_root_for("managing networks")
}

fn need_root_for(what: &str) -> Result<(), Failure> {
    if is_root() {
        return Ok(());
    }
    let message = format!("{what} needs root");
    Err(Failure::new(jail_core::Kind::Denied, "state", "geteuid", "jail", message).hint("run it with sudo"))
}
