//! Where a jail may write, told from the plan: what a second wall has to let through.

use std::fs;

use crate::plan::{MountPlan, What};

/// A place that a jail may write to, with all that is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writable {
    /// Its path inside.
    pub path: String,
    /// Is it a file rather than a directory?
    pub file: bool,
}

impl MountPlan {
    /// The places of mounts that can be written to. What is below one and read-only or hidden is not told.
    pub fn writable(&self) -> Vec<Writable> {
        let mounts = self.mounts.iter().filter(|mount| mount.writable);
        let file = |what: &What| match what {
            What::Host { source, .. } => fs::symlink_metadata(source).is_ok_and(|meta| !meta.is_dir()),
            _ => false,
        };
        mounts.map(|mount| Writable { path: mount.target.clone(), file: file(&mount.what) }).collect()
    }
}
