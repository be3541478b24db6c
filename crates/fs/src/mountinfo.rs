//! Where something is mounted on the host, as proc_pid_mountinfo(5) tells it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Every path below `top` (without symbolic links) on which something is mounted; not `top` itself.
///
/// # Errors
/// What reading `/proc/thread-self/mountinfo` answers.
pub(crate) fn below(top: &Path) -> io::Result<BTreeSet<PathBuf>> {
    // a thread may have a mount namespace of its own
    let mounts = std::fs::read("/proc/thread-self/mountinfo")?;
    Ok(points(&mounts).filter(|path| path != top && path.starts_with(top)).collect())
}

fn points(mounts: &[u8]) -> impl Iterator<Item = PathBuf> {
    let lines = mounts.split(|byte| *byte == b'\n');
    let fifth = |line: &[u8]| line.split(|byte| *byte == b' ').nth(4).map(unescape);
    lines.filter_map(fifth).map(|path| PathBuf::from(OsString::from_vec(path)))
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
        let line = b"36 35 98:0 / /srv/a\\040b\\134\\012 rw,noatime - ext3 /dev/root rw\n";
        assert_eq!(points(line).collect::<Vec<_>>(), [PathBuf::from("/srv/a b\\\n")]);
        assert_eq!(unescape(b"\\9\\"), b"\\9\\");
    }
}
