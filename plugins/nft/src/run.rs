//! Runs nft(8): one process per transaction, with a deadline, its words kept. The crate's own runner does none of
//! that: it leaves stderr alone, has no deadline, and a caller that gives up leaves nft running.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use jail_net::backend::{Failure, Kind};
use nftables::schema::Nftables;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::lock::Lock;
use crate::netlink::Commits;
use crate::rule::Object;

/// How long nft may take. A transaction waits for those before it, a few milliseconds each.
pub(crate) const DEADLINE: Duration = Duration::from_secs(8);

/// The most that is kept of what nft says, in bytes: it says a line or two.
const WORDS: usize = 16384;

/// Why nft did not do it.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The kernel answered EEXIST: a table that is there already, or an element whose key has another value.
    Exists,
    /// The kernel answered ENOENT: no such table, set, or element.
    Missing,
    /// Anything else.
    Other(Failure),
}

impl Trouble {
    /// As a failure, where neither of the two answers can be expected.
    pub(crate) fn failure(self) -> Failure {
        match self {
            Trouble::Exists => refused(EXISTS),
            Trouble::Missing => refused(MISSING),
            Trouble::Other(failure) => failure,
        }
    }
}

/// When a transaction counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// nft has ended.
    Exit,
    /// The kernel has committed it. nft ends by itself some time later: after removing elements it waits for an RCU
    /// grace period, 9 to 48 ms, with nothing left to do.
    Commit,
}

/// The file nft is, looked for in PATH and where Debian puts it.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(usual).map(|dir| dir.join("nft")).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.is_absolute()
        && file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Applies the commands as one transaction, in the caller's network namespace.
pub(crate) fn apply(commands: Vec<Object>, until: Until) -> Result<(), Trouble> {
    let input = document(commands).map_err(|error| Trouble::Other(failed("write rules for", &error)))?;
    let mut command = nft().map_err(Trouble::Other)?;
    command.args(["-j", "-f", "-"]).stdin(input).stdout(Stdio::null());
    // Where the socket cannot be had, the end of nft is waited for.
    let commits = if until == Until::Commit { Commits::listen().ok() } else { None };
    if let Some(socket) = commits.as_ref().and_then(|commits| commits.share().ok()) {
        command.stdout(socket); // nft writes nothing there
    }
    finish(command, commits)
}

/// Applies the commands as one transaction, until it is committed, by an nft that keeps the lock if we are killed.
pub(crate) fn apply_holding(lock: &Lock, commands: Vec<Object>) -> Result<(), Trouble> {
    let cannot = |operation| move |error: io::Error| Trouble::Other(failed(operation, &error));
    let input = document(commands).map_err(cannot("write rules for"))?;
    let stdout = lock.share().map_err(cannot("share the lock with"))?; // nft writes nothing there
    let mut command = nft().map_err(Trouble::Other)?;
    command.args(["-j", "-f", "-"]).stdin(input).stdout(stdout);
    finish(command, Commits::listen().ok())
}

/// The same in another network namespace, on a thread that ends with it.
pub(crate) fn apply_in(netns: BorrowedFd<'_>, commands: Vec<Object>) -> Result<(), Trouble> {
    let enter = || {
        setns(netns, CloneFlags::CLONE_NEWNET).map_err(|errno| {
            Trouble::Other(Failure::call("network", "setns", "the jail's network", &errno.into()))
        })?;
        apply(commands, Until::Exit)
    };
    std::thread::scope(|scope| match scope.spawn(enter).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// What nft writes for these arguments; `None` when what is asked about is not there.
pub(crate) fn ask(arguments: &[&str]) -> Result<Option<String>, Failure> {
    let gather = || -> io::Result<(File, OwnedFd)> {
        let file = memory("nft output")?;
        let ours = file.as_fd().try_clone_to_owned()?;
        Ok((file, ours))
    };
    let (output, ours) = gather().map_err(|error| failed("memfd_create", &error))?;
    let mut command = nft()?;
    command.args(arguments).stdin(Stdio::null()).stdout(output);
    match finish(command, None) {
        Ok(()) => {
            let mut text = String::new();
            let mut file = File::from(ours);
            file.rewind()
                .and_then(|()| file.read_to_string(&mut text))
                .map_err(|error| failed("read the answer of", &error))?;
            Ok(Some(text))
        }
        Err(Trouble::Missing) => Ok(None),
        Err(trouble) => Err(trouble.failure()),
    }
}

fn nft() -> Result<Command, Failure> {
    let Some(file) = find() else {
        let message = "there is no program nft in PATH";
        return Err(
            Failure::new(Kind::Unsupported, "network", "nft", "nft", message).hint("install nftables")
        );
    };
    let mut command = Command::new(file);
    // Its own process group: a second ctrl-C at the terminal must not end it between two transactions.
    command.env("LC_ALL", "C").stderr(Stdio::piped()).process_group(0);
    Ok(command)
}

/// A file in memory rather than a pipe: nothing blocks when nft does not read.
fn document(commands: Vec<Object>) -> io::Result<File> {
    let text = serde_json::to_vec(&Nftables { objects: commands.into() })?;
    let mut file = memory("nft rules")?;
    file.write_all(&text)?;
    file.rewind()?;
    Ok(file)
}

fn memory(name: &str) -> io::Result<File> {
    Ok(File::from(memfd_create(name, MFdFlags::MFD_CLOEXEC)?))
}

/// Starts nft and waits for its end, or for its commit, or for the deadline.
fn finish(mut command: Command, commits: Option<Commits>) -> Result<(), Trouble> {
    let mut child = command.spawn().map_err(|error| Trouble::Other(failed("start", &error)))?;
    drop(command);
    match wait(&mut child, commits.as_ref()) {
        Ok(Some(words)) => {
            let status = child.wait().map_err(|error| Trouble::Other(failed("wait for", &error)))?;
            if status.success() { Ok(()) } else { Err(understand(&words)) }
        }
        Ok(None) => {
            leave(child, commits);
            Ok(())
        }
        Err(failure) => {
            // It may have ended meanwhile; either way it is reaped here.
            let _ = child.kill();
            let _ = child.wait();
            Err(Trouble::Other(failure))
        }
    }
}

/// What nft said, once it has ended; `None` when its transaction is committed and it has not.
fn wait(child: &mut Child, commits: Option<&Commits>) -> Result<Option<String>, Failure> {
    let Some(mut stderr) = child.stderr.take() else { return Ok(Some(String::new())) };
    let flags = fcntl(&stderr, FcntlArg::F_GETFL).map(OFlag::from_bits_truncate);
    flags
        .and_then(|flags| fcntl(&stderr, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)))
        .map_err(|errno| failed("fcntl", &errno.into()))?;
    let end = Instant::now() + DEADLINE;
    let mut words = Vec::new();
    loop {
        if at_end(&mut stderr, &mut words)? {
            return Ok(Some(String::from_utf8_lossy(&words).into_owned()));
        }
        if commits.is_some_and(|commits| commits.by(child.id())) {
            return Ok(None);
        }
        sleep_until(&stderr, commits, end)?;
    }
}

/// Reads some of what is there to read; whether there is no more and never will be.
fn at_end(stderr: &mut ChildStderr, words: &mut Vec<u8>) -> Result<bool, Failure> {
    let mut some = [0; 4096];
    match stderr.read(&mut some) {
        Ok(0) => Ok(true),
        Ok(read) => {
            words.extend_from_slice(&some[..read.min(WORDS - words.len())]);
            Ok(false)
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            Ok(false)
        }
        Err(error) => Err(failed("read the answer of", &error)),
    }
}

fn sleep_until(stderr: &ChildStderr, commits: Option<&Commits>, end: Instant) -> Result<(), Failure> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        let message = format!("nft did not finish within {} seconds", DEADLINE.as_secs());
        return Err(Failure::new(Kind::Failed, "network", "nft", "nft", message)
            .hint("see what holds it up: nft list ruleset"));
    }
    let mut sources = vec![PollFd::new(stderr.as_fd(), PollFlags::POLLIN)];
    sources.extend(commits.map(|commits| PollFd::new(commits.as_fd(), PollFlags::POLLIN)));
    let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
    match poll(&mut sources, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(failed("poll", &errno.into())),
    }
}

/// Lets nft end by itself, without leaving a zombie in a program that lives on. The socket's last close may take as
/// long as nft.
fn leave(mut child: Child, commits: Option<Commits>) {
    let reap = move || {
        let _ = child.wait();
        drop(commits);
    };
    // Where there is no thread to be had the process is reaped by whoever outlives us.
    let _ = std::thread::Builder::new().name("nft".into()).spawn(reap);
}

/// The kernel's answers that nft passes on in words and that mean something here.
const ANSWERS: [Errno; 4] = [EXISTS, MISSING, Errno::EPERM, Errno::EOPNOTSUPP];
const EXISTS: Errno = Errno::EEXIST;
const MISSING: Errno = Errno::ENOENT;

/// nft's complaint, which in JSON mode is `internal:0:0-0: Error: Could not process rule: File exists`. It may add a
/// guess at what was meant, after a semicolon.
fn understand(words: &str) -> Trouble {
    let line = words.lines().find(|line| line.contains("Error: ")).unwrap_or(words).trim();
    let cause = line.rsplit("Error: ").next().unwrap_or(line);
    let cause = cause.strip_prefix("Could not process rule: ").unwrap_or(cause);
    let cause = cause.split([';', '(']).next().unwrap_or(cause).trim();
    match ANSWERS.into_iter().find(|errno| strerror(*errno) == cause) {
        Some(EXISTS) => Trouble::Exists,
        Some(MISSING) => Trouble::Missing,
        Some(errno) => Trouble::Other(refused(errno)),
        None if cause.is_empty() => Trouble::Other(refusal(Kind::Failed, "it ended without a word")),
        None => Trouble::Other(refusal(Kind::Failed, cause)),
    }
}

/// The kernel's answer as a failure.
fn refused(errno: Errno) -> Failure {
    let (kind, hint) = match errno {
        EXISTS => (Kind::Conflict, ""),
        MISSING => (Kind::NotFound, ""),
        Errno::EPERM => (Kind::Denied, "run it as root"),
        Errno::EOPNOTSUPP => (Kind::Unsupported, "this kernel's nf_tables lacks a part"),
        _ => (Kind::Failed, ""),
    };
    let mut failure = refusal(kind, &strerror(errno)).hint(hint);
    failure.errno = Some(errno as i32);
    failure
}

fn refusal(kind: Kind, cause: &str) -> Failure {
    Failure::new(kind, "network", "nft", "nft", format!("nft refused the rules: {cause}"))
}

/// libc's words for it, which are nft's.
fn strerror(errno: Errno) -> String {
    let text = io::Error::from(errno).to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn failed(operation: &str, error: &io::Error) -> Failure {
    Failure::call("network", operation.to_owned(), "nft", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nft_says_is_understood_with_and_without_its_guesses() {
        let said = |cause: &str| understand(&format!("internal:0:0-0: Error: {cause}\n\n"));
        assert!(matches!(said("Could not process rule: File exists"), Trouble::Exists));
        assert!(matches!(said("No such file or directory"), Trouble::Missing));
        let guess = "No such file or directory; did you mean table \u{2018}jail\u{2019} in family inet?";
        assert!(matches!(said(guess), Trouble::Missing));
        let failure = said("Could not process rule: Operation not permitted (you must be root)").failure();
        assert_eq!(failure.kind, Kind::Denied);
        assert_eq!(failure.to_string(), "nft refused the rules: Operation not permitted; run it as root");
        assert_eq!(said("syntax error").failure().message, "nft refused the rules: syntax error");
        assert_eq!(understand("").failure().message, "nft refused the rules: it ended without a word");
        let failure = said("Could not process rule: Operation not supported").failure();
        assert_eq!((failure.kind, failure.errno), (Kind::Unsupported, Some(libc::EOPNOTSUPP)));
        assert_eq!(Trouble::Exists.failure().to_string(), "nft refused the rules: File exists");
    }

    #[test]
    fn of_a_flood_only_the_beginning_is_kept_and_the_end_is_found() {
        let mut flood = Command::new("sh");
        flood.args(["-c", "echo Error: first >&2; yes flood | head -c 10000000 >&2"]).stderr(Stdio::piped());
        let mut child = flood.spawn().unwrap();
        let words = wait(&mut child, None).unwrap().unwrap();
        child.wait().unwrap();
        assert_eq!(words.len(), WORDS);
        assert_eq!(understand(&words).failure().message, "nft refused the rules: first");
    }
}
