//! `ViewSpec`: what the user wants the jail to see, in the user's own words. Nothing here is looked up.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a jail sees beside the default view. All paths are absolute and without `..`.
///
/// Whatever is deeper in the tree comes on top: a grant below a `--read-only` keeps what it grants, a `--blacklist`
/// below a grant hides a part of it. On one and the same path a grant comes first, then `read_only`, then `blacklist`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ViewSpec {
    /// `--grant`, `--read-write`: paths of the host shown as their owners see them.
    pub grants: Vec<Grant>,
    /// `--bind`: the same, at another place.
    pub binds: Vec<Bind>,
    /// `--read-only`: paths below which nothing can be written any more.
    pub read_only: Vec<PathBuf>,
    /// `--tmpfs`: directories that are empty and the jail's own.
    pub tmpfs: Vec<Tmpfs>,
    /// `--blacklist`: paths hidden behind something that cannot be read.
    pub blacklist: Vec<PathBuf>,
    /// Small generated files, by the path they are shown at: readable for everybody, writable for nobody.
    pub files: Vec<(PathBuf, String)>,
    /// What `/etc/hosts` says the jail's own name is: then that file and `/etc/hostname` are the jail's, unless another
    /// option is for the same path. `None` shows the host's.
    pub address: Option<IpAddr>,
}

/// A path of the host that is shown in the same place, with its owners mapped into the jail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The path.
    pub path: PathBuf,
    /// May the jail write to it? Then no set-user-ID, set-group-ID or capable program may be below it, whatever else is
    /// mounted over that and however it is mounted: every file there is looked at when it is planned.
    pub writable: bool,
}

/// A path of the host that is shown in another place, with its owners mapped into the jail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// The host's path.
    pub source: PathBuf,
    /// The jail's path.
    pub target: PathBuf,
    /// May the jail write to it? As in [`Grant::writable`].
    pub writable: bool,
}

/// A directory that is empty and the jail's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// The jail's path.
    pub target: PathBuf,
    /// Its limit as tmpfs(5) takes it: bytes, with `k`, `m`, `g`, less than 16 EiB, or a percentage of memory with `%`;
    /// `None` is a quarter of the memory.
    pub size: Option<String>,
}
