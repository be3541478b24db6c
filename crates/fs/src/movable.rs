//! What cannot be taken away for good, because the jail could move it.
//!
//! A mount point cannot be renamed in the mount namespace it is in, a directory above it can. Where the jail may write
//! to the directory that holds such a one, it moves that, with what was taken away in it, leaves another of the same
//! name, and the next start takes the other away.

use std::path::{Path, PathBuf};

use crate::inside::{Inside, is_below};
use crate::plan::{Mount, What};

/// A directory above a mount that the jail could rename, and the option that lets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Movable<'a> {
    pub(crate) directory: &'a str,
    pub(crate) option: &'a str,
}

/// Whether `mount` takes away what the jail would see without it.
pub(crate) fn takes_away(mount: &Mount, inside: &Inside) -> bool {
    match &mount.what {
        What::Frozen | What::NoExec | What::Hidden { .. } | What::Kernels { .. } | What::Tmpfs { .. } => true,
        What::Host { source, .. } => {
            !mount.writable && inside.host_path(&mount.target) == Some(PathBuf::from(source))
        }
        _ => false,
    }
}

/// The first directory above `target` that the jail could rename, given the `earlier` mounts.
pub(crate) fn movable<'a>(earlier: &'a [Mount], target: &'a str) -> Option<Movable<'a>> {
    let above = target.match_indices('/').map(|(end, _)| &target[..end]).filter(|path| !path.is_empty());
    above.into_iter().find_map(|directory| {
        let of_directory = earlier.iter().filter(|mount| is_below(directory, &mount.target));
        // the later of two on the same path
        let mount = of_directory.max_by_key(|mount| Path::new(&mount.target).components().count())?;
        let writable = mount.writable && matches!(mount.what, What::Host { .. });
        (writable && mount.target != directory).then_some(Movable { directory, option: &mount.asked })
    })
}
