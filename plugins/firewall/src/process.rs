//! Runs a program that changes or tells rules: with a deadline, its words kept, and nothing left of it that holds
//! anybody up.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use jail_net::backend::{Failure, Kind};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::Place;
use crate::nft::netlink::Commits;

/// How long a program may take. It waits for those before it, a few milliseconds each.
pub(crate) const DEADLINE: Duration = Duration::from_secs(8);

/// The most that is kept of what a program complains of, in bytes: it says a line or two.
const WORDS: usize = 16384;

/// What a program that ended had to say: whether it succeeded, and if not its words.
pub type Ended = Result<(), String>;

/// A program of this name, with an empty standard input and nothing of what it writes kept but complaints.
///
/// # Errors
/// `Unsupported` when there is no such program; the remedy is to install `package`.
pub fn command(place: &Place, program: &str, package: &str) -> Result<Command, Failure> {
    let Some(file) = place.find(program) else {
        let message = format!("there is no program {program} in PATH");
        return Err(Failure::new(Kind::Unsupported, "network", "start", program, message)
            .hint(format!("install {package}")));
    };
    let mut command = Command::new(file);
    // Its own process group: a second ctrl-C at the terminal must not end it between two transactions.
    command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.process_group(0);
    Ok(command)
}

/// A file in memory to be read as standard input, rather than a pipe: nothing blocks when the program does not read.
///
/// # Errors
/// What memfd_create(2) and write(2) answer.
pub fn document(text: &[u8]) -> io::Result<File> {
    let mut file = memory()?;
    file.write_all(text)?;
    file.rewind()?;
    Ok(file)
}

fn memory() -> io::Result<File> {
    Ok(File::from(memfd_create("rules", MFdFlags::MFD_CLOEXEC)?))
}

/// Does `work` in another network namespace, on a thread that ends with it.
///
/// # Errors
/// What setns(2) answers, and what `work` does.
pub fn inside<T: Send, E: Send + From<Failure>>(
    netns: BorrowedFd<'_>,
    work: impl FnOnce() -> Result<T, E> + Send,
) -> Result<T, E> {
    let enter = || {
        setns(netns, CloneFlags::CLONE_NEWNET)
            .map_err(|errno| Failure::call("network", "setns", "the jail's network", &errno.into()))?;
        work()
    };
    std::thread::scope(|scope| match scope.spawn(enter).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Runs it to its end, and answers what it wrote.
///
/// # Errors
/// That it could not be run, or did not end in time.
pub fn ask(mut command: Command) -> Result<Result<String, String>, Failure> {
    let gather = || -> io::Result<(File, File)> {
        let file = memory()?;
        let ours = file.as_fd().try_clone_to_owned()?;
        Ok((file, File::from(ours)))
    };
    let (output, mut ours) = gather().map_err(|error| failed("memfd_create", &command, &error))?;
    command.stdout(output);
    if let Err(words) = run(&mut command, None)? {
        return Ok(Err(words));
    }
    let mut text = String::new();
    ours.rewind()
        .and_then(|()| ours.read_to_string(&mut text))
        .map_err(|error| failed("read the answer of", &command, &error))?;
    Ok(Ok(text))
}

/// Runs it to its end, or with `commits` until it has committed: then it is left to end by itself.
///
/// # Errors
/// That it could not be run, or did not end in time.
pub fn run(command: &mut Command, commits: Option<Commits>) -> Result<Ended, Failure> {
    let mut child = command.spawn().map_err(|error| failed("start", command, &error))?;
    command.stdout(Stdio::null()); // what was given to it is its own now
    match wait(&mut child, command, commits.as_ref()) {
        Ok(Some(words)) => {
            let status = child.wait().map_err(|error| failed("wait for", command, &error))?;
            Ok(if status.success() { Ok(()) } else { Err(words) })
        }
        Ok(None) => {
            leave(child, commits);
            Ok(Ok(()))
        }
        Err(failure) => {
            // It may have ended meanwhile; either way it is reaped here.
            let _ = child.kill();
            let _ = child.wait();
            Err(failure)
        }
    }
}

/// What it said, once it has ended; `None` when its transaction is committed and it has not.
fn wait(child: &mut Child, command: &Command, commits: Option<&Commits>) -> Result<Option<String>, Failure> {
    let Some(mut stderr) = child.stderr.take() else { return Ok(Some(String::new())) };
    let flags = fcntl(&stderr, FcntlArg::F_GETFL).map(OFlag::from_bits_truncate);
    flags
        .and_then(|flags| fcntl(&stderr, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)))
        .map_err(|errno| failed("fcntl", command, &errno.into()))?;
    let end = Instant::now() + DEADLINE;
    let mut words = Vec::new();
    loop {
        let at_end = at_end(&mut stderr, &mut words);
        if at_end.map_err(|error| failed("read the answer of", command, &error))? {
            return Ok(Some(String::from_utf8_lossy(&words).into_owned()));
        }
        if commits.is_some_and(|commits| commits.by(child.id())) {
            return Ok(None);
        }
        sleep_until(&stderr, command, commits, end)?;
    }
}

/// Reads some of what is there to read; whether there is no more and never will be.
fn at_end(stderr: &mut ChildStderr, words: &mut Vec<u8>) -> io::Result<bool> {
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
        Err(error) => Err(error),
    }
}

fn sleep_until(
    stderr: &ChildStderr,
    command: &Command,
    commits: Option<&Commits>,
    end: Instant,
) -> Result<(), Failure> {
    let left = end.saturating_duration_since(Instant::now());
    if left.is_zero() {
        let name = name(command);
        let message = format!("{name} did not finish within {} seconds", DEADLINE.as_secs());
        return Err(Failure::new(Kind::Failed, "network", "wait", name, message)
            .hint("somebody else's change of the host's rules may hold it up"));
    }
    let mut sources = vec![PollFd::new(stderr.as_fd(), PollFlags::POLLIN)];
    sources.extend(commits.map(|commits| PollFd::new(commits.as_fd(), PollFlags::POLLIN)));
    let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
    match poll(&mut sources, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(failed("poll", command, &errno.into())),
    }
}

/// Lets it end by itself, without leaving a zombie in a program that lives on. The socket's last close may take as long
/// as the program.
fn leave(mut child: Child, commits: Option<Commits>) {
    let reap = move || {
        let _ = child.wait();
        drop(commits);
    };
    // Where there is no thread to be had the process is reaped by whoever outlives us.
    let _ = std::thread::Builder::new().name("reap".into()).spawn(reap);
}

/// The program's name, as messages tell it.
fn name(command: &Command) -> String {
    let file = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    file.to_string_lossy().into_owned()
}

fn failed(operation: &str, command: &Command, error: &io::Error) -> Failure {
    Failure::call("network", operation.to_owned(), name(command), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_flood_only_the_beginning_is_kept_and_the_end_is_found() {
        let mut flood = Command::new("sh");
        flood.args(["-c", "echo first >&2; yes flood | head -c 10000000 >&2; exit 1"]).stderr(Stdio::piped());
        let words = run(&mut flood, None).unwrap().unwrap_err();
        assert_eq!(words.len(), WORDS);
        assert!(words.starts_with("first\nflood\n"));
    }
}
