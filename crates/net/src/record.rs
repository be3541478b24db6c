//! A value in a file of its own, written so that a reader or a crash sees the whole of it or nothing.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jail_sys::{Failure, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

/// What the name of a file begins with that is still being written.
const UNFINISHED: &str = ".new-";

/// Writes a new file.
///
/// # Errors
/// `Conflict` when there is one of this name; what the file system answers.
pub(crate) fn create<T: Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    let failed = |error: &io::Error| Failure::call("state", "write", path.display().to_string(), error);
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::with_prefix_in(UNFINISHED, dir).map_err(|error| failed(&error))?;
    serde_json::to_writer_pretty(&mut file, value).map_err(|error| failed(&error.into()))?;
    file.write_all(b"\n").and_then(|()| file.as_file().sync_all()).map_err(|error| failed(&error))?;
    file.persist_noclobber(path).map_err(|error| failed(&error.error))?;
    Ok(())
}

/// Reads a file that [`create`] wrote; `None` if there is none.
///
/// # Errors
/// `Invalid`, naming the file, when it does not read back; what the file system answers.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Failure> {
    let strange = |why: &str| {
        let object = path.display().to_string();
        let message = format!("{object}: not a file jail wrote: {why}");
        Failure::new(Kind::Invalid, "state", "read", object, message).hint("mend it or remove it")
    };
    let failed = |error: &io::Error| Failure::call("state", "read", path.display().to_string(), error);
    // A FIFO must not hold us up.
    let mut file = match File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    if !file.metadata().map_err(|error| failed(&error))?.is_file() {
        return Err(strange("it is no regular file"));
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(|error| failed(&error))?;
    serde_json::from_slice(&text).map(Some).map_err(|error| strange(&error.to_string()))
}

/// Removes a file; success when there is none.
///
/// # Errors
/// What unlink(2) answers.
pub(crate) fn remove(path: &Path) -> Result<bool, Failure> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::call("state", "unlink", path.display().to_string(), &error)),
    }
}

/// The names of the visible files of a directory, sorted; none when there is no directory.
///
/// # Errors
/// What the file system answers.
pub(crate) fn names(dir: &Path) -> Result<Vec<String>, Failure> {
    let mut names = all_names(dir)?;
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

/// Removes what a [`create`] that was killed had begun. Nobody else writes to the directory meanwhile.
///
/// # Errors
/// What the file system answers.
pub(crate) fn remove_unfinished(dir: &Path) -> Result<(), Failure> {
    let mut unfinished = all_names(dir)?.into_iter().filter(|name| name.starts_with(UNFINISHED));
    unfinished.try_for_each(|name| remove(&dir.join(name)).map(drop))
}

fn all_names(dir: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error: &io::Error| Failure::call("state", "readdir", dir.display().to_string(), error);
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| failed(&error))?.file_name();
        names.extend(name.into_string());
    }
    Ok(names)
}
