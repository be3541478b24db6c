//! Where something is mounted on the host, as proc_pid_mountinfo(5) tells it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use jail_sys::Failure;

use crate::plan::STAGE;

/// One mount of the host's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mounted {
    /// Its number, unique while it is mounted.
    pub(crate) id: u64,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The type of its file system, where that is the kernel's own: see [`crate::kernels`].
    pub(crate) kernels: Option<&'static str>,
    /// It and what is below it stay where they are when the tree around it is cloned.
    pub(crate) unbindable: bool,
}

/// All mounts, in no order.
#[derive(Debug)]
pub(crate) struct Mounts(pub(crate) Vec<Mounted>);

impl Mounts {
    /// Those of now, as this thread sees them, which may have a mount namespace of its own. A user's jail clones out of a
    /// copy of them in which all are private, and none is unbindable.
    ///
    /// # Errors
    /// What reading `/proc/thread-self/mountinfo` answers.
    pub(crate) fn read(by_user: bool) -> Result<Self, Failure> {
        const FILE: &str = "/proc/thread-self/mountinfo";
        let text = std::fs::read(FILE).map_err(|error| {
            Failure::call(STAGE, "read", FILE, &error)
                .hint("the host's own /proc must be there: mount -t proc proc /proc")
        })?;
        let mounts = text.split(|byte| *byte == b'\n').filter_map(mounted);
        let as_cloned = |mount: Mounted| Mounted { unbindable: mount.unbindable && !by_user, ..mount };
        Ok(Mounts(mounts.map(as_cloned).collect()))
    }

    /// Those below `top`, which has no symbolic links in it; what is mounted on `top` itself is not.
    pub(crate) fn below(&self, top: &Path) -> impl Iterator<Item = &Mounted> {
        self.0.iter().filter(move |mount| mount.path != top && mount.path.starts_with(top))
    }

    /// Their paths.
    pub(crate) fn points_below(&self, top: &Path) -> BTreeSet<PathBuf> {
        self.below(top).map(|mount| mount.path.clone()).collect()
    }
}

/// A line: number, parent, device, root, path, options, any number of tags, a dash, type, source, more options.
fn mounted(line: &[u8]) -> Option<Mounted> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let dash = fields.iter().skip(6).position(|field| *field == b"-")? + 6;
    Some(Mounted {
        id: str::from_utf8(fields.first()?).ok()?.parse().ok()?,
        path: PathBuf::from(OsString::from_vec(unescape(fields.get(4)?))),
        kernels: crate::kernels::named(fields.get(dash + 1)?),
        unbindable: fields.get(6..dash)?.contains(&b"unbindable".as_slice()),
    })
}

/// A backslash and three octal digits stand for a byte that would end the field.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let code = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_with_blanks_and_backslashes_is_read_as_it_is_named() {
        let line = b"36 35 98:0 / /srv/a\\040b\\134\\012 rw,noatime - ext3 /dev/root rw";
        let path = PathBuf::from("/srv/a b\\\n");
        assert_eq!(mounted(line), Some(Mounted { id: 36, path, kernels: None, unbindable: false }));
        assert_eq!(unescape(b"\\9\\"), b"\\9\\");
    }

    #[test]
    fn a_type_is_what_stands_behind_the_dash_however_many_tags_there_are() {
        for (tags, unbindable) in [("", false), ("shared:7 master:1 ", false), ("unbindable ", true)] {
            let line = format!("9 2 0:4 / /srv/- rw {tags}- proc sysfs rw");
            let found = mounted(line.as_bytes()).unwrap();
            assert_eq!((found.kernels, found.unbindable), (Some("proc"), unbindable));
        }
        assert_eq!(mounted(b""), None);
    }
}
