//! Runs a command as pid 2 of new namespaces, with the host's files and without a filter: `run COMMAND [ARG]...`.
#![forbid(unsafe_code)]

use std::error::Error;
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd};
use std::process::ExitCode;

use jail_ns::payload::Payload;
use jail_ns::{idmap, range, spawn};
use jail_sys::{Failure, call::process, helper, launch};

fn main() -> ExitCode {
    match run() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "run: {error}");
            let is_command =
                error.downcast_ref::<Failure>().is_some_and(|failure| failure.operation == "execve");
            ExitCode::from(if is_command { 127 } else { 125 })
        }
    }
}

fn run() -> Result<u8, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut payload = Payload::new(&words)?;
    if let Some(name) = words.first().filter(|name| !name.contains('/')) {
        let places = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];
        payload.paths =
            places.iter().map(|place| CString::new(format!("{place}/{name}"))).collect::<Result<_, _>>()?;
    }
    payload.envp = vec![c"PATH=/usr/sbin:/usr/bin:/sbin:/bin".into()];

    let leases = std::env::temp_dir().join("jail-ns-example");
    std::fs::create_dir_all(&leases)?;
    let (ids, lease) = range::lease(&leases, "example")?;
    let user = idmap::user_namespace(&ids)?;
    let init = helper::sealed("jail-init")?;
    let (lifeline, _keep_open) = std::io::pipe()?;
    let program = spawn::program(spawn::Start {
        hostname: "example",
        own_network: true,
        files: Vec::new(),
        ready: None,
        user: spawn::UserNamespace::Joined(user.as_raw_fd()),
        confine: Vec::new(),
        payload,
        lifeline: lifeline.as_raw_fd(),
        init: init.as_raw_fd(),
    });
    let started = launch::launch(program, spawn::NAMESPACES)?.outcome()?;
    let ended = process::wait(started.pidfd.as_fd())?;
    lease.release()?;
    Ok(ended.0 as u8)
}
