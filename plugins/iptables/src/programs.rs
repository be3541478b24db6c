//! `Programs`: iptables-save and iptables-restore, of the variant that PATH has or of the other.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::process::Command;

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

/// The programs of one IP version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Programs<'a> {
    place: &'a Place,
    pub(crate) version: Version,
    pub(crate) variant: Variant,
    /// `iptables`, of the variant that is chosen here; the others by their full name.
    name: &'static str,
}

impl<'a> Programs<'a> {
    /// Those of the variant that this place has chosen. Both are one program under many names: `xtables-nft-multi`,
    /// `xtables-legacy-multi`.
    pub(crate) fn chosen(place: &'a Place, version: Version) -> Self {
        let name = if version == Version::V4 { "iptables" } else { "ip6tables" };
        let programs = Programs { place, version, variant: Variant::Legacy, name };
        let file = place.find(&programs.save()).and_then(|file| file.canonicalize().ok());
        let multi = file.as_deref().and_then(Path::file_name).unwrap_or_default();
        let variant = if multi.to_string_lossy().contains("nft") { Variant::Nft } else { Variant::Legacy };
        Programs { variant, ..programs }
    }

    /// Those of the other variant, which may have been the chosen one when a jail started.
    pub(crate) fn not_chosen(self) -> Self {
        let (variant, name) = match (self.variant, self.version) {
            (Variant::Legacy, Version::V4) => (Variant::Nft, "iptables-nft"),
            (Variant::Legacy, Version::V6) => (Variant::Nft, "ip6tables-nft"),
            (Variant::Nft, Version::V4) => (Variant::Legacy, "iptables-legacy"),
            (Variant::Nft, Version::V6) => (Variant::Legacy, "ip6tables-legacy"),
        };
        Programs { variant, name, ..self }
    }

    /// What their names begin with.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The program that applies rules.
    pub(crate) fn restore(&self) -> String {
        format!("{}-restore", self.name)
    }

    /// The program that tells them.
    pub(crate) fn save(&self) -> String {
        format!("{}-save", self.name)
    }

    /// Whether they are installed.
    pub(crate) fn are_there(&self) -> bool {
        [self.save(), self.restore()].iter().all(|program| self.place.find(program).is_some())
    }

    /// The rules there are. Asking makes no table.
    pub(crate) fn saved(&self) -> Result<Saved, Failure> {
        let program = self.save();
        let command = process::command(self.place, &program, PACKAGE)?;
        let text = process::ask(command)?.map_err(|words| refused(&program, &words, ""))?;
        Ok(Saved::read(&text))
    }

    /// Applies a document beside what is there, one table after the other, each whole. The program holds the lock if we
    /// are killed.
    pub(crate) fn apply(&self, document: &str, lock: &Lock) -> Result<(), Failure> {
        let program = self.restore();
        let mut command = self.restoring(document)?;
        let lock = lock.share().map_err(|error| cannot_write(&program, &error))?;
        command.arg("--noflush").stdout(lock); // it writes nothing there
        process::run(&mut command, None)?.map_err(|words| refused(&program, &words, document))
    }

    /// Makes the tables of another network namespace what the document says.
    pub(crate) fn replace(&self, netns: BorrowedFd<'_>, document: &str) -> Result<(), Failure> {
        let mut command = self.restoring(document)?;
        process::inside(netns, || process::run(&mut command, None))?
            .map_err(|words| refused(&self.restore(), &words, document))
    }

    fn restoring(&self, document: &str) -> Result<Command, Failure> {
        let program = self.restore();
        let mut command = process::command(self.place, &program, PACKAGE)?;
        let document = process::document(document.as_bytes());
        command.arg(PATIENCE).stdin(document.map_err(|error| cannot_write(&program, &error))?);
        Ok(command)
    }
}

fn cannot_write(program: &str, error: &io::Error) -> Failure {
    Failure::call("network", "write rules for", program.to_owned(), error)
}

/// Whether somebody else holds the lock of the legacy variant: to try again at once is of no use.
pub(crate) fn is_busy(failure: &Failure) -> bool {
    failure.errno == Some(Errno::EAGAIN as i32)
}

const SILENT: &str = "it ended without a word";

/// What a program said of a document, in a sentence.
fn refused(program: &str, words: &str, document: &str) -> Failure {
    let words = words.trim();
    if words.contains("holding the xtables lock") {
        let message =
            format!("{program} waited in vain for its lock, /run/xtables.lock: another program holds it");
        let mut failure = Failure::new(Kind::Failed, "network", program.to_owned(), program, message);
        failure.errno = Some(Errno::EAGAIN as i32);
        return failure.hint("see what changes the host's rules for so long, or end it");
    }
    let cause = words.lines().map(cause).find(|cause| !cause.is_empty()).unwrap_or(SILENT);
    let culprit = number(words).and_then(|number| document.lines().nth(number.checked_sub(1)?));
    let culprit = culprit.map_or(String::new(), |line| format!(" (the line is: {line})"));
    let message = format!("{program} refused the rules: {cause}{culprit}");
    let mut failure = Failure::new(Kind::Failed, "network", program.to_owned(), program, message);
    if words.contains("ermission denied") || words.contains("must be root") {
        failure.kind = Kind::Denied;
        return failure.hint("run it as the host's own root");
    }
    if words.contains("Couldn't load") || words.contains("does not exist") || words.contains("not supported")
    {
        failure.kind = Kind::Unsupported;
        return failure
            .hint("this kernel lacks a part of iptables: docs/kernel-features.md tells which are needed");
    }
    if cause == SILENT {
        return failure.hint("something ended it, or it is broken: try iptables-save");
    }
    failure.hint("see what else has changed the host's rules: iptables-save and ip6tables-save print them")
}

/// What a line says behind the program's name: `iptables-restore v1.8.9 (nf_tables): Couldn't load match ...`. It may be
/// nothing, and the cause in the next line.
fn cause(line: &str) -> &str {
    let named = line.starts_with("iptables") || line.starts_with("ip6tables");
    let behind = line.split_once("):").or_else(|| line.split_once(':')).filter(|_| named);
    behind.map_or(line, |(_, cause)| cause).trim()
}

/// The number of the line that was refused: `line 5 failed`, `line 2: CHAIN_DEL failed ...`, `Error occurred at line: 2`.
fn number(words: &str) -> Option<usize> {
    let (_, rest) = words.split_once("line ").or_else(|| words.split_once("line: "))?;
    rest.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_they_say_becomes_a_sentence() {
        let document = "*filter\n-X JAIL-GUARD\nCOMMIT\n";
        let said = |words: &str| refused("iptables-restore", words, document);
        let message = |words: &str| said(words).message;
        let load = "iptables-restore v1.8.9 (nf_tables): Couldn't load match `nope':No such file or directory\n\nError occurred at line: 2\nTry ...";
        assert_eq!(
            message(load),
            "iptables-restore refused the rules: Couldn't load match `nope':No such file or directory (the line is: -X JAIL-GUARD)"
        );
        assert_eq!(said(load).kind, Kind::Unsupported);
        assert_eq!(
            message("iptables-restore: line 2 failed"),
            "iptables-restore refused the rules: line 2 failed (the line is: -X JAIL-GUARD)"
        );
        let in_use = "iptables-nft-restore v1.8.9 (nf_tables): \nline 2: CHAIN_DEL failed (Device or resource busy): chain JAIL-GUARD\n";
        assert_eq!(
            message(in_use),
            "iptables-restore refused the rules: line 2: CHAIN_DEL failed (Device or resource busy): chain JAIL-GUARD (the line is: -X JAIL-GUARD)"
        );
        assert!(said(in_use).hint.contains("iptables-save"));
        assert_eq!(message("no nat"), "iptables-restore refused the rules: no nat");
        let lock = "Another app is currently holding the xtables lock; still 2s 0us time ahead to have a chance to grab the lock...";
        assert!(is_busy(&said(lock)) && !is_busy(&said(load)));
        assert_eq!(said("").message, "iptables-restore refused the rules: it ended without a word");
        assert_eq!(
            said("Fatal: can't open lock file /run/xtables.lock: Permission denied").kind,
            Kind::Denied
        );
    }
}
