//! `ViewSpec`: what the user wants the jail to see, in the user's own words. Nothing here is looked up.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a jail sees beside the default view. All paths are absolute and without `..`.
///
/// Whatever is deeper in the tree comes on top: a grant below a `--read-only` keeps what it grants, a `--blacklist`
/// below a grant hides a part of it. On one and the same path a grant comes first, then `read_only`, then `blacklist`;
/// two that nobody can mean both of one path, as a grant and `blacklist`, are refused.
/// `noexec` comes last of all and holds for whatever is shown below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ViewSpec {
    /// `--grant`: paths of the host shown as their owners see them.
    pub grants: Vec<Grant>,
    /// `--read-write`: the same as a writable [`Grant`], in other words.
    pub read_write: Vec<PathBuf>,
    /// `--bind`: the same, at another place.
    pub binds: Vec<Bind>,
    /// `--read-only`: paths below which nothing can be written any more.
    pub read_only: Vec<PathBuf>,
    /// `--tmpfs`: directories that are empty and the jail's own.
    pub tmpfs: Vec<Tmpfs>,
    /// `--blacklist`: paths hidden behind something that cannot be read.
    pub blacklist: Vec<PathBuf>,
    /// `--whitelist`: of the top-level directories that hold these paths nothing else of the default view is seen.
    pub whitelist: Vec<PathBuf>,
    /// `--noexec`: paths below which nothing can be executed.
    pub noexec: Vec<PathBuf>,
    /// `--private=DIR`: a directory of the host's that is shown in the place of `owner`'s home, as in a writable
    /// [`Grant`].
    pub private: Option<PathBuf>,
    /// `--runtime-dir`: names of directories in /run that are `owner`'s.
    pub runtime_dirs: Vec<String>,
    /// Who the jail's command runs as.
    pub owner: Owner,
    /// `--userns=identity|host`: its users have the host's numbers, so what the kernel shows to the host's root alone is
    /// hidden, and nothing about the kernel can be written.
    pub hosts_ids: bool,
    /// The jail is started by who is not root: its first process makes all mounts, in a user namespace that has one id,
    /// which may take no tree apart from what is mounted below it.
    pub by_user: bool,
    /// `--root`: a directory whose tree is shown instead of the host's. What grants and binds name is the host's.
    pub root: Option<PathBuf>,
    /// `--writable-etc`: /etc is the host's own, as in a writable [`Grant`].
    pub writable_etc: bool,
    /// `--writable-var`: /var is the host's own, as in a writable [`Grant`].
    pub writable_var: bool,
    /// Small generated files, by the path they are shown at: readable for everybody, writable for nobody.
    pub files: Vec<(PathBuf, String)>,
    /// What `/etc/hosts` says the jail's own name is: then that file and `/etc/hostname` are the jail's, unless another
    /// option is for the same path. `None` shows the host's.
    pub address: Option<IpAddr>,
}

/// Whose the directories are that the jail has of its own for its command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The jail's number of the user.
    pub uid: u32,
    /// The jail's number of the group.
    pub gid: u32,
    /// The home directory. Below /home, which is the jail's own, it is made.
    pub home: PathBuf,
}

impl Default for Owner {
    fn default() -> Self {
        Owner { uid: 0, gid: 0, home: PathBuf::from("/root") }
    }
}

impl ViewSpec {
    /// What of the host's the jail may write to.
    pub fn writable(&self) -> impl Iterator<Item = WritableSource> {
        let source = |option: String, path: &Path| WritableSource { option, source: path.to_owned() };
        let grants = self.grants.iter().filter(|grant| grant.writable).map(|grant| &grant.path);
        let binds = self.binds.iter().filter(|bind| bind.writable);
        grants
            .map(move |path| source(format!("--grant={}:rw", path.display()), path))
            .chain(
                self.read_write
                    .iter()
                    .map(move |path| source(format!("--read-write={}", path.display()), path)),
            )
            .chain(binds.map(move |bind| {
                source(format!("--bind={},{}:rw", bind.source.display(), bind.target.display()), &bind.source)
            }))
            .chain(self.private.iter().map(move |dir| source(format!("--private={}", dir.display()), dir)))
            .chain(self.writable_etc.then(|| source("--writable-etc".to_owned(), Path::new("/etc"))))
            .chain(self.writable_var.then(|| source("--writable-var".to_owned(), Path::new("/var"))))
    }
}

/// What of the host's a jail may write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritableSource {
    /// The option that says so.
    pub option: String,
    /// The host's path.
    pub source: PathBuf,
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
