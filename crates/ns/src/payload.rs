//! `Payload`: the command, and the steps from a process of the jail's to the command, the same for start and join.

use std::ffi::{CString, NulError};
use std::os::fd::RawFd;

use jail_sys::op::{Fd, Op, Step};

/// First of the three slots for standard descriptors that trade places.
const STDIO_SLOT: u8 = 10;

/// Who a command runs as, in the jail's numbers. The default is root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// uid.
    pub uid: u32,
    /// gid.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// A command and what it finds when it starts.
#[derive(Clone, Debug)]
pub struct Payload {
    /// Paths to try, in order; as the jail sees them.
    pub paths: Vec<CString>,
    /// Arguments, from `argv[0]`.
    pub argv: Vec<CString>,
    /// Environment, `NAME=value`.
    pub envp: Vec<CString>,
    /// Who it runs as.
    pub user: User,
    /// Working directory. That its user cannot enter it is an error.
    pub cwd: CString,
    /// What standard input, output and error are; `None` is the caller's own.
    pub stdio: [Option<RawFd>; 3],
    /// Descriptors above the standard ones that it finds open, under the same numbers.
    pub keep: Vec<RawFd>,
    /// The helper (see [`jail_sys::helper::sealed`]), by way of which it is executed. It must be where somebody in the jail
    /// might have the right to write to the executable of this process: until its execve the command shares that, and
    /// a script whose interpreter is /proc/self/exe would run it inside (CVE-2019-5736). See [`Op::ExecThrough`].
    pub through: Option<RawFd>,
    /// Standard input is a terminal, and shall be the session's controlling one.
    pub terminal: bool,
}

impl Payload {
    /// A command by its path, in `/`, without an environment, with the caller's standard descriptors.
    ///
    /// # Errors
    /// An argument that holds a NUL byte.
    pub fn new(argv: &[&str]) -> Result<Self, NulError> {
        let argv = argv.iter().map(|argument| CString::new(*argument)).collect::<Result<Vec<_>, _>>()?;
        let paths = argv.first().cloned().into_iter().collect();
        let (envp, user, cwd) = (Vec::new(), User::default(), c"/".into());
        let (keep, through) = (Vec::new(), None);
        Ok(Payload { paths, argv, envp, user, cwd, stdio: [None; 3], keep, through, terminal: false })
    }

    /// From a process with the jail's ids to the command: a session of its own, nothing inherited but standard
    /// descriptors and those that are kept, default signals, then `confine`, last of all execve.
    pub(crate) fn steps(self, confine: Vec<Step>) -> Vec<Step> {
        let name = self.argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let step = |op| Step::new("command", name.as_str(), op);
        let mut steps = vec![step(Op::SetSid)];
        steps.extend(stdio(self.stdio).into_iter().map(step));
        if self.terminal {
            steps.push(step(Op::ControllingTerminal));
        }
        // Before the directory is changed: none of what is closed is a way to one.
        let confined = confine.iter().flat_map(|step| step.op.named());
        let named = self.keep.iter().chain(&self.through).map(|file| Fd::Parent(*file)).chain(confined);
        steps.push(step(Op::CloseFrom { first: 3, but: named.collect() }));
        let other_user = self.user != User::default();
        if other_user {
            let User { uid, gid, groups } = self.user;
            steps.push(Step::new("command", "--user", Op::SetIds { uid, gid, groups }));
        }
        let cwd = format!("--cwd={}", self.cwd.to_string_lossy());
        let hint = "name a directory that the jail sees and its user may enter";
        steps.push(Step::new("command", cwd, Op::Chdir(self.cwd)).hint(hint));
        if other_user {
            steps.push(Step::new("command", "--user", Op::UsePermitted));
        }
        steps.extend([Op::Umask(0o022), Op::CloseOnExecFrom(3), Op::ResetSignals].map(step));
        for file in self.keep {
            let stay = Op::Dup { from: Fd::Parent(file), to: file };
            steps.push(Step::new("command", format!("--keep-fd={file}"), stay));
        }
        steps.extend(self.through.map(|_| step(Op::HoldReport)));
        steps.extend(confine);
        let hint = "what the jail sees of it counts: install it (a script's interpreter too), make it executable, or give its path";
        let (paths, argv, envp) = (self.paths, self.argv, self.envp);
        let execute = match self.through.map(Fd::Parent) {
            Some(helper) => Op::ExecThrough { helper, paths, argv, envp },
            None => Op::Exec { paths, argv, envp },
        };
        steps.push(step(execute).hint(hint));
        steps
    }
}

/// Puts standard descriptors in place; those that are standard ones of the caller's are copied before any is overwritten.
fn stdio(sources: [Option<RawFd>; 3]) -> Vec<Op> {
    let (mut copies, mut places) = (Vec::new(), Vec::new());
    for ((to, source), slot) in (0..).zip(sources).zip(STDIO_SLOT..) {
        match source {
            Some(from) if from < 3 && from != to => {
                copies.push(Op::Keep { from: Fd::Parent(from), into: slot });
                places.push(Op::Dup { from: Fd::Slot(slot), to });
            }
            Some(from) => places.push(Op::Dup { from: Fd::Parent(from), to }),
            None => {}
        }
    }
    copies.append(&mut places);
    copies
}
