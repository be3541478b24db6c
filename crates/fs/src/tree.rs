//! `--root`: whose tree the jail is shown, the host's or another below it.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use jail_sys::{Failure, Kind};

use crate::plan::STAGE;
use crate::view::ViewSpec;
use crate::{host, source};

/// The directory that the default view is made of, without symbolic links.
///
/// # Errors
/// When it is not a directory, or not one with a system in it.
pub(crate) fn of(spec: &ViewSpec, root: &Path) -> Result<PathBuf, Failure> {
    let Some(dir) = &spec.root else { return Ok(root.to_owned()) };
    let option = format!("--root={}", dir.display());
    let refuse = |kind, why: &str| {
        let hint = "name a directory with a system in it, like one that debootstrap has made";
        Failure::new(kind, STAGE, "plan", &option, format!("{option}: {why}")).hint(hint)
    };
    let opened = source::open(root, dir).and_then(|file| host::path_of(file.as_fd()));
    let tree = opened.map_err(|error| match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENOTDIR) => refuse(Kind::NotFound, "there is no such directory"),
        Some(libc::ELOOP) => {
            refuse(Kind::Denied, "it leads through a symbolic link, which a jail could have made")
        }
        _ => Failure::call(STAGE, "openat2", &option, &error),
    })?;
    match tree.join("usr").is_dir() || tree.join("bin").is_dir() {
        true => Ok(tree),
        false => Err(refuse(Kind::Invalid, "there is no usr and no bin in it")),
    }
}
