//! The journal of one jail: what the host was given, written before it is given, undone in reverse order.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jail_net::backend::{Role, Undo};
use jail_sys::Failure;
use jail_sys::lease::Lease;
use serde::{Deserialize, Serialize};

/// One thing the host was, or was about to be, given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "gave")]
#[non_exhaustive]
pub enum Entry {
    /// A lease: this file names the jail while it holds it.
    Lease {
        /// The lease's file.
        path: PathBuf,
    },
    /// What a backend attached.
    Attachment {
        /// The backend's role.
        role: Role,
        /// The plugin's file.
        plugin: PathBuf,
        /// What undoes it.
        undo: Undo,
    },
    /// A place among the jails that use the host's network; the last one out puts back what all of them share.
    Networked {
        /// The lease's file.
        path: PathBuf,
    },
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Journal {
    /// Starts the journal of a jail.
    ///
    /// # Errors
    /// What open(2) answers.
    pub fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| failed("open", &path, &error))?;
        Ok(Journal { file, path, entries: Vec::new() })
    }

    /// Writes an entry; only then may what it speaks of be done.
    ///
    /// # Errors
    /// What write(2) answers: then it must not be done.
    pub fn write(&mut self, entry: Entry) -> Result<(), Failure> {
        let mut line =
            serde_json::to_vec(&entry).map_err(|error| failed("write", &self.path, &error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| failed("write", &self.path, &error))?;
        self.entries.push(entry);
        Ok(())
    }

    /// Writes down a lease that is held, and answers it. Until then it is its own journal: its file says whose it is, and
    /// its lock goes with its holder. Where it cannot be written down it is given back.
    ///
    /// # Errors
    /// As [`Journal::write`].
    pub(crate) fn lease(&mut self, lease: Lease) -> Result<Lease, Failure> {
        match self.write(Entry::Lease { path: lease.path().to_owned() }) {
            Ok(()) => Ok(lease),
            Err(failure) => {
                let _ = lease.release(); // why it could not be written is the one to tell
                Err(failure)
            }
        }
    }

    /// What was written so far, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Reads a journal that somebody else wrote, in order; none when there is no file. A last line that was cut
    /// short by a crash speaks of nothing that was done, and is passed over.
    ///
    /// # Errors
    /// When it cannot be read, or a line that is whole is not an entry.
    pub fn read(path: &Path) -> Result<Vec<Entry>, Failure> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("open", path, &error)),
        };
        let mut entries = Vec::new();
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        while reader.read_line(&mut line).map_err(|error| failed("read", path, &error))? > 0 {
            if line.ends_with('\n') {
                entries
                    .push(serde_json::from_str(&line).map_err(|error| failed("read", path, &error.into()))?);
            }
            line.clear();
        }
        Ok(entries)
    }
}

fn failed(operation: &'static str, path: &Path, error: &io::Error) -> Failure {
    Failure::call("state", operation, path.display().to_string(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_reads_back_and_a_cut_line_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let entry = Entry::Lease { path: "/run/jail/address/10.10.20.10".into() };
        let mut journal = Journal::create(path.clone()).unwrap();
        journal.write(entry.clone()).unwrap();
        journal.file.write_all(b"{\"gave\":\"lea").unwrap();
        assert_eq!(Journal::read(&path).unwrap(), [entry]);
        assert_eq!(Journal::read(&dir.path().join("none")).unwrap(), []);
    }

    #[test]
    fn a_whole_line_of_garbage_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        std::fs::write(&path, "garbage\n").unwrap();
        assert!(Journal::read(&path).unwrap_err().message.contains("journal"));
    }
}
