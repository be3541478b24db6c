//! Runs nft(8): one process per transaction. The runner of the crate `nftables` leaves stderr alone, has no deadline,
//! and a caller that gives up leaves nft running.

use std::io;
use std::os::fd::BorrowedFd;
use std::process::Command;

use jail_net::backend::{Failure, Kind};
use nftables::schema::Nftables;
use nix::errno::Errno;

use super::netlink::Commits;
use super::rule::Object;
use crate::process::{self, Ended};
use crate::{Lock, Place};

/// Why nft did not do it.
#[derive(Debug)]
pub enum Trouble {
    /// The kernel answered EEXIST: a table that is there already, or an element whose key has another value.
    Exists,
    /// The kernel answered ENOENT: no such table, set, or element.
    Missing,
    /// Anything else.
    Other(Failure),
}

impl Trouble {
    /// As a failure, where neither of the two answers can be expected.
    pub fn failure(self) -> Failure {
        match self {
            Trouble::Exists => refused(EXISTS),
            Trouble::Missing => refused(MISSING),
            Trouble::Other(failure) => failure,
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::Other(failure)
    }
}

/// Applies the commands as one transaction, and returns once it is committed. nft ends by itself some time later: after
/// removing elements it waits for an RCU grace period, 9 to 48 ms, with nothing left to do.
///
/// # Errors
/// What nft says.
pub fn apply(place: &Place, commands: Vec<Object>) -> Result<(), Trouble> {
    let mut command = transaction(place, commands)?;
    // Where the socket cannot be had, the end of nft is waited for.
    let commits = Commits::listen().ok();
    if let Some(socket) = commits.as_ref().and_then(|commits| commits.share().ok()) {
        command.stdout(socket); // nft writes nothing there
    }
    understand(process::run(&mut command, commits)?)
}

/// The same by an nft that keeps the lock if we are killed.
///
/// # Errors
/// What nft says.
pub fn apply_holding(place: &Place, lock: &Lock, commands: Vec<Object>) -> Result<(), Trouble> {
    let stdout = lock.share().map_err(|error| failed("share the lock with", &error))?;
    let mut command = transaction(place, commands)?;
    command.stdout(stdout); // nft writes nothing there
    understand(process::run(&mut command, Commits::listen().ok())?)
}

/// The same in another network namespace, until nft has ended.
///
/// # Errors
/// What nft says.
pub fn apply_in(place: &Place, netns: BorrowedFd<'_>, commands: Vec<Object>) -> Result<(), Trouble> {
    let mut command = transaction(place, commands)?;
    process::inside(netns, || understand(process::run(&mut command, None)?))
}

/// What nft writes for these arguments; `None` when what is asked about is not there.
pub(super) fn ask(place: &Place, arguments: &[&str]) -> Result<Option<String>, Failure> {
    let mut command = nft(place)?;
    command.args(arguments);
    match process::ask(command)? {
        Ok(text) => Ok(Some(text)),
        Err(words) => match understand(Err(words)) {
            Err(Trouble::Missing) | Ok(()) => Ok(None),
            Err(trouble) => Err(trouble.failure()),
        },
    }
}

fn nft(place: &Place) -> Result<Command, Failure> {
    process::command(place, "nft", "nftables")
}

fn transaction(place: &Place, commands: Vec<Object>) -> Result<Command, Failure> {
    let text = serde_json::to_vec(&Nftables { objects: commands.into() }).map_err(io::Error::from);
    let input = text.and_then(|text| process::document(&text));
    let mut command = nft(place)?;
    command.args(["-j", "-f", "-"]).stdin(input.map_err(|error| failed("write rules for", &error))?);
    Ok(command)
}

/// The kernel's answers that nft passes on in words and that mean something here.
const ANSWERS: [Errno; 4] = [EXISTS, MISSING, Errno::EPERM, Errno::EOPNOTSUPP];
const EXISTS: Errno = Errno::EEXIST;
const MISSING: Errno = Errno::ENOENT;

/// nft's complaint, which in JSON mode is `internal:0:0-0: Error: Could not process rule: File exists`. It may add a
/// guess at what was meant, after a semicolon.
fn understand(ended: Ended) -> Result<(), Trouble> {
    let Err(words) = ended else { return Ok(()) };
    let line = words.lines().find(|line| line.contains("Error: ")).unwrap_or(&words).trim();
    let cause = line.rsplit("Error: ").next().unwrap_or(line);
    let cause = cause.strip_prefix("Could not process rule: ").unwrap_or(cause);
    let cause = cause.split([';', '(']).next().unwrap_or(cause).trim();
    Err(match ANSWERS.into_iter().find(|errno| strerror(*errno) == cause) {
        Some(EXISTS) => Trouble::Exists,
        Some(MISSING) => Trouble::Missing,
        Some(errno) => Trouble::Other(refused(errno)),
        None if cause.is_empty() => {
            let hint = "something ended it, or it is broken: try nft list tables";
            Trouble::Other(refusal(Kind::Failed, "it ended without a word").hint(hint))
        }
        None => Trouble::Other(refusal(Kind::Failed, cause)),
    })
}

/// The kernel's answer as a failure.
fn refused(errno: Errno) -> Failure {
    let (kind, hint) = match errno {
        EXISTS => (Kind::Conflict, ""),
        MISSING => (Kind::NotFound, ""),
        Errno::EPERM => (Kind::Denied, "run it as the host's own root"),
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
        let said = |cause: &str| understand(Err(format!("internal:0:0-0: Error: {cause}\n\n"))).unwrap_err();
        assert!(matches!(said("Could not process rule: File exists"), Trouble::Exists));
        assert!(matches!(said("No such file or directory"), Trouble::Missing));
        let guess = "No such file or directory; did you mean table \u{2018}jail\u{2019} in family inet?";
        assert!(matches!(said(guess), Trouble::Missing));
        let failure = said("Could not process rule: Operation not permitted (you must be root)").failure();
        assert_eq!(failure.kind, Kind::Denied);
        assert_eq!(
            failure.to_string(),
            "nft refused the rules: Operation not permitted; run it as the host's own root"
        );
        assert_eq!(said("syntax error").failure().message, "nft refused the rules: syntax error");
        let nothing = understand(Err(String::new())).unwrap_err().failure();
        assert_eq!(nothing.message, "nft refused the rules: it ended without a word");
        let failure = said("Could not process rule: Operation not supported").failure();
        assert_eq!((failure.kind, failure.errno), (Kind::Unsupported, Some(libc::EOPNOTSUPP)));
        assert_eq!(Trouble::Exists.failure().to_string(), "nft refused the rules: File exists");
    }
}
