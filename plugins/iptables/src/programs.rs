//! Runs iptables-save and iptables-restore, of the variant that PATH has.

use std::os::fd::BorrowedFd;
use std::path::Path;

use jail_firewall::reach::Version;
use jail_firewall::{Lock, Place, process};
use jail_net::backend::{Failure, Kind};
use nix::errno::Errno;

use crate::saved::Saved;

/// Debian's package of both variants.
const PACKAGE: &str = "iptables";

/// How long the legacy variant waits for its own lock, which somebody else may hold: an attach that then takes back what
/// it has done, on the host and inside, has to end within a plugin's time (10 s).
const PATIENCE: &str = "--wait=3";

/// The two programs of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The kernel's ip_tables, where a table is there once somebody asked for it.
    Legacy,
    /// nf_tables through its compatibility layer, where each table and chain is made when it is needed.
    Nft,
}

impl Variant {
    /// Which variant this place has. Both are one program under many names: `xtables-nft-multi`,
    /// `xtables-legacy-multi`.
    pub(crate) fn of(place: &Place, version: Version) -> Self {
        let file = place.find(save(version)).and_then(|file| file.canonicalize().ok());
        let name = file.as_deref().and_then(Path::file_name).unwrap_or_default();
        if name.to_string_lossy().contains("nft") { Variant::Nft } else { Variant::Legacy }
    }
}

/// The program that applies rules.
pub(crate) fn restore(version: Version) -> &'static str {
    match version {
        Version::V4 => "iptables-restore",
        Version::V6 => "ip6tables-restore",
    }
}

/// The program that tells them.
pub(crate) fn save(version: Version) -> &'static str {
    match version {
        Version::V4 => "iptables-save",
        Version::V6 => "ip6tables-save",
    }
}

/// The rules there are. Asking makes no table.
pub(crate) fn saved(place: &Place, version: Version) -> Result<Saved, Failure> {
    let command = process::command(place, save(version), PACKAGE)?;
    let text = process::ask(command)?.map_err(|words| refused(save(version), &words))?;
    Ok(Saved::read(&text))
}

/// Applies a document beside what is there, one table after the other, each whole. The program holds the lock if we are
/// killed.
pub(crate) fn apply(place: &Place, version: Version, document: &str, lock: &Lock) -> Result<(), Failure> {
    let program = restore(version);
    let failed = |error| Failure::call("network", "write rules for", program, &error);
    let mut command = process::command(place, program, PACKAGE)?;
    command.args(["--noflush", PATIENCE]).stdin(process::document(document.as_bytes()).map_err(failed)?);
    command.stdout(lock.share().map_err(failed)?); // it writes nothing there
    process::run(&mut command, None)?.map_err(|words| refused(program, &words))
}

/// Makes the tables of another network namespace what the document says.
pub(crate) fn replace(
    place: &Place,
    netns: BorrowedFd<'_>,
    version: Version,
    document: &str,
) -> Result<(), Failure> {
    let program = restore(version);
    let mut command = process::command(place, program, PACKAGE)?;
    let document = process::document(document.as_bytes());
    command
        .arg(PATIENCE)
        .stdin(document.map_err(|error| Failure::call("network", "write rules for", program, &error))?);
    process::inside(netns, || process::run(&mut command, None))?.map_err(|words| refused(program, &words))
}

/// Whether somebody else holds the lock of the legacy variant: to try again at once is of no use.
pub(crate) fn is_busy(failure: &Failure) -> bool {
    failure.errno == Some(Errno::EAGAIN as i32)
}

/// What a program said, in a sentence.
fn refused(program: &str, words: &str) -> Failure {
    let words = words.trim();
    if words.contains("holding the xtables lock") {
        let message =
            format!("{program} waited in vain for its lock, /run/xtables.lock: another program holds it");
        let mut failure = Failure::new(Kind::Failed, "network", program.to_owned(), program, message);
        failure.errno = Some(Errno::EAGAIN as i32);
        return failure.hint("see what changes the host's rules for so long, or end it");
    }
    let line = words.lines().find(|line| !line.is_empty()).unwrap_or("it ended without a word");
    // `iptables-restore v1.8.9 (nf_tables): Couldn't load match ...`
    let cause = line.split_once("): ").or_else(|| line.split_once(": ")).map_or(line, |(_, cause)| cause);
    let message = format!("{program} refused the rules: {cause}");
    let mut failure = Failure::new(Kind::Failed, "network", program.to_owned(), program, message);
    if words.contains("ermission denied") || words.contains("must be root") {
        failure.kind = Kind::Denied;
        return failure.hint("run it as root");
    }
    if words.contains("Couldn't load") || words.contains("does not exist") || words.contains("not supported")
    {
        failure.kind = Kind::Unsupported;
        return failure
            .hint("this kernel lacks a part of iptables: docs/kernel-features.md tells which are needed");
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_they_say_becomes_a_sentence() {
        let said = |words: &str| refused("iptables-restore", words);
        let load = said(
            "iptables-restore v1.8.9 (nf_tables): Couldn't load match `nope':No such file or directory\n\nError occurred at line: 2\nTry ...",
        );
        assert_eq!(
            load.message,
            "iptables-restore refused the rules: Couldn't load match `nope':No such file or directory"
        );
        assert_eq!(load.kind, Kind::Unsupported);
        assert_eq!(
            said("iptables-restore: line 5 failed").message,
            "iptables-restore refused the rules: line 5 failed"
        );
        let lock = "Another app is currently holding the xtables lock; still 2s 0us time ahead to have a chance to grab the lock...";
        assert!(is_busy(&said(lock)) && !is_busy(&load));
        assert_eq!(said("").message, "iptables-restore refused the rules: it ended without a word");
        assert_eq!(
            said("Fatal: can't open lock file /run/xtables.lock: Permission denied").kind,
            Kind::Denied
        );
    }
}
