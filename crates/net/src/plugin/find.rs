//! Where plugins are: the directories, and which file is which backend. Nothing is loaded that was not asked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jail_sys::{Failure, Kind};

use super::{Plugin, apart, load};
use crate::backend::{Description, Support};

/// Where a package installs plugins.
pub const INSTALLED: &str = "/usr/lib/jail/plugins";

/// A plugin's file, not opened yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// NAME of `libjail_NAME.so`: what `--backend` takes.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// A plugin that was tried.
#[derive(Debug)]
pub struct Found {
    /// NAME of `libjail_NAME.so`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What it says of itself and of this host, or why it cannot be used at all.
    pub result: Result<(Description, Support), Failure>,
}

/// The plugin directories in order: `extra` (`--plugin-dir`), then beside this program if plugins are there (a build
/// tree), else [`INSTALLED`].
///
/// # Errors
/// A directory of `extra` that is none.
pub fn directories(extra: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    if let Some(missing) = extra.iter().find(|directory| !directory.is_dir()) {
        let object = format!("--plugin-dir={}", missing.display());
        let message = format!("{object}: there is no such directory");
        return Err(Failure::new(Kind::NotFound, "network", "find plugins", object, message)
            .hint("make it, or name the one that holds the plugins"));
    }
    let beside = fs::read_link("/proc/self/exe").ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let built = beside.filter(|beside| listed(beside).is_ok_and(|plugins| !plugins.is_empty()));
    Ok(extra.iter().cloned().chain([built.unwrap_or_else(|| INSTALLED.into())]).collect())
}

/// The plugins in `directories`, by name; of two with one name the first directory's. Loads nothing.
///
/// # Errors
/// A directory that is there and cannot be read.
pub fn find(directories: &[PathBuf]) -> Result<Vec<Candidate>, Failure> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for directory in directories {
        let plugins = listed(directory).map_err(|error| {
            Failure::call("network", "read the plugin directory", directory.display().to_string(), &error)
        })?;
        found.extend(plugins.into_iter().filter(|plugin| seen.insert(plugin.name.clone())));
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Loads the backend `name` from the first of `directories` that has it.
///
/// # Errors
/// [`Kind::NotFound`] with the names that there are; what [`load`] answers.
pub fn open(name: &str, directories: &[PathBuf]) -> Result<Plugin, Failure> {
    let candidates = find(directories)?;
    if let Some(candidate) = candidates.iter().find(|candidate| candidate.name == name) {
        return load(&candidate.path);
    }
    if candidates.is_empty() {
        return Err(none(directories));
    }
    // Most often nobody has typed the name: it is what the network needs.
    let message = format!("there is no backend {name} in {}", shown(directories));
    let names: Vec<_> = candidates.iter().map(|candidate| candidate.name.as_str()).collect();
    let hint = format!("there are: {}", names.join(", "));
    Err(Failure::new(Kind::NotFound, "network", "find plugin", format!("--backend={name}"), message)
        .hint(hint))
}

/// The failure where there is no backend at all: the program was installed without them.
fn none(directories: &[PathBuf]) -> Failure {
    let message = format!("there are no backends (libjail_NAME.so) in {}", shown(directories));
    Failure::new(Kind::NotFound, "network", "find plugins", shown(directories), message)
        .hint(format!("install them into {INSTALLED}, or say where they are with --plugin-dir=DIR"))
}

/// Loads and probes every plugin of `directories`, for a person to read: one that is bad does not hide the others. Each is
/// tried in a process of its own, unless this program has several threads.
///
/// # Errors
/// [`Kind::NotFound`] where there is none at all; as [`find`].
pub async fn survey(directories: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let candidates = find(directories)?;
    if candidates.is_empty() {
        return Err(none(directories));
    }
    let mut tried = Vec::new();
    for Candidate { name, path } in candidates {
        let result = apart::try_out(&path).await;
        tried.push(Found { name, path, result });
    }
    Ok(tried)
}

/// NAME of a file `libjail_NAME.so`: lower-case letters, digits and `_`.
pub(super) fn name_of(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?.strip_prefix("libjail_")?.strip_suffix(".so")?;
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    (!name.is_empty() && name.bytes().all(fits)).then_some(name)
}

/// The plugins of one directory; none when it is not there.
fn listed(directory: &Path) -> std::io::Result<Vec<Candidate>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut plugins = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if let Some(name) = name_of(&path) {
            plugins.push(Candidate { name: name.to_owned(), path });
        }
    }
    Ok(plugins)
}

fn shown(directories: &[PathBuf]) -> String {
    let names: Vec<_> = directories.iter().map(|directory| directory.display().to_string()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(directory.path().join(file), "").unwrap();
        }
        directory
    }

    #[test]
    fn the_first_directory_wins_and_other_files_are_passed_over() {
        let one =
            directory(&["libjail_nft.so", "libjail_x.so.1", "libjail_.so", "libjail_a-0f.so", "libc.so"]);
        let two = directory(&["libjail_nft.so", "libjail_bridge.so"]);
        let found = find(&[one.path().into(), "/nowhere".into(), two.path().into()]).unwrap();
        let paths: Vec<_> = found.into_iter().map(|candidate| candidate.path).collect();
        assert_eq!(paths, [two.path().join("libjail_bridge.so"), one.path().join("libjail_nft.so")]);
    }

    #[test]
    fn a_backend_that_is_not_there_is_answered_with_those_that_are() {
        let directory = directory(&["libjail_nft.so", "libjail_bridge.so"]);
        let failure = open("../nft", &[directory.path().into()]).unwrap_err();
        assert_eq!(failure.kind, Kind::NotFound);
        let place = directory.path().display();
        assert_eq!(
            failure.to_string(),
            format!("there is no backend ../nft in {place}; there are: bridge, nft")
        );
        assert_eq!(failure.object, "--backend=../nft");
    }

    #[tokio::test]
    async fn where_no_backend_is_at_all_the_directories_and_the_remedy_are_told() {
        let (one, two) = (directory(&["libc.so"]), directory(&[]));
        let directories = [one.path().to_owned(), two.path().to_owned()];
        let (one, two) = (one.path().display(), two.path().display());
        let told = format!(
            "there are no backends (libjail_NAME.so) in {one}, {two}; install them into {INSTALLED}, or say where \
             they are with --plugin-dir=DIR"
        );
        assert_eq!(open("bridge", &directories).unwrap_err().to_string(), told);
        assert_eq!(survey(&directories).await.unwrap_err().to_string(), told);
    }

    #[test]
    fn a_plugin_directory_that_was_asked_for_must_be_there() {
        let failure = directories(&["/nowhere".into()]).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "--plugin-dir=/nowhere: there is no such directory; make it, or name the one that holds the plugins"
        );
    }

    #[test]
    fn without_plugins_beside_the_program_the_installed_ones_are_taken() {
        let extra = directory(&[]);
        let directories = directories(&[extra.path().into()]).unwrap();
        assert_eq!(directories[0], extra.path());
        assert_eq!(directories.len(), 2);
    }
}
