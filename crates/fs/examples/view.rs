//! Runs a command with a jail's view of the files, and nothing else of a jail. As root:
//!
//! ```sh
//! cargo run -p jail-fs --example view -- [--grant=PATH[:rw]]... [--blacklist=PATH]... [--plan | COMMAND...]
//! ```
//!
//! Here the command's root is a user of the host's without any privilege, number 1879048192: a mount namespace is all
//! that `jail-fs` needs. Grants keep the host's owners, for owners are mapped by a user namespace.

use std::ffi::CString;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;

use jail_fs::{Grant, Owners, ViewSpec};
use jail_sys::op::{Op, Program, Step};
use jail_sys::{Failure, IdMap, Kind, call, launch};

const IDS: IdMap = IdMap { base: 0x7000_0000, size: 65536 };

fn main() -> Result<ExitCode, Failure> {
    let mut spec = ViewSpec::default();
    let mut command = Vec::new();
    let mut only_plan = false;
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some(("--grant", path)) if command.is_empty() => {
                let writable = path.ends_with(":rw");
                spec.grants.push(Grant { path: PathBuf::from(path.trim_end_matches(":rw")), writable });
            }
            Some(("--blacklist", path)) if command.is_empty() => spec.blacklist.push(PathBuf::from(path)),
            None if command.is_empty() && argument == "--plan" => only_plan = true,
            _ => command.push(c_string(&argument)?),
        }
    }
    let plan = jail_fs::plan(&spec)?;
    if only_plan {
        let text = plan.lines().join("\n") + "\n";
        let written = std::io::stdout().write_all(text.as_bytes());
        return Ok(ExitCode::from(u8::from(written.is_err())));
    }
    if command.is_empty() {
        command =
            ["/bin/sh", "-c", "ls -ld / /* /dev/*; cat /etc/shadow; mount | wc -l"].map(c_string_of).into();
    }
    run(&plan, command)
}

fn run(plan: &jail_fs::MountPlan, command: Vec<CString>) -> Result<ExitCode, Failure> {
    let compiled = plan.compile("view", &Owners { ids: &IDS, granted: None, shown: None })?;
    let mut steps = compiled.steps;
    let ids = Op::SetIds { uid: IDS.base, gid: IDS.base, groups: Vec::new() };
    steps.push(Step::new("command", "user", ids));
    let paths = ["", "/usr/bin/", "/usr/sbin/", "/bin/"];
    let name = command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let paths = paths.iter().map(|prefix| c_string(&format!("{prefix}{name}"))).collect::<Result<_, _>>()?;
    let envp = vec![c"PATH=/usr/sbin:/usr/bin:/sbin:/bin".to_owned()];
    steps.push(Step::new("command", name, Op::Exec { paths, argv: command, envp }));
    let launched = launch::launch(Program { steps }, libc::CLONE_NEWNS | libc::CLONE_NEWPID)?;
    let started = launched.outcome()?;
    let ended = call::process::wait(started.pidfd.as_fd())
        .map_err(|error| Failure::call("command", "waitid", "command", &error))?;
    Ok(ExitCode::from(ended.0 as u8))
}

fn c_string(text: &str) -> Result<CString, Failure> {
    CString::new(text)
        .map_err(|_| Failure::new(Kind::Invalid, "command", "execve", text, "has a zero byte in it"))
}

fn c_string_of(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}
