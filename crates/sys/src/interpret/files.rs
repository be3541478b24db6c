//! Steps about mounts and files.

use std::ffi::{CStr, CString};
use std::os::fd::RawFd;

use super::{Child, Done, done};
use crate::kernel;
use crate::op::{Directory, Fd, Node, Op, ROOT, Ruleset};
use crate::raw::Errno;

/// The longest path the kernel takes, its NUL included.
const PATH_MAX: usize = libc::PATH_MAX as usize;

/// A descriptor that is closed when a step is through with it.
struct Temporary(RawFd);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = kernel::close(self.0);
    }
}

/// A plan's paths have no symbolic links: one that is met has been put there since.
const RESOLVE: u64 = libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_SYMLINKS;

/// Opens `path` with `directory` standing for `/`.
fn open_in_root(directory: RawFd, path: &CStr, flags: i32, mode: u32) -> Result<Temporary, Errno> {
    let file = kernel::openat2(directory, path, flags | libc::O_CLOEXEC, mode, RESOLVE)?;
    Ok(Temporary(file as RawFd))
}

fn must_be(file: &Temporary, expected: Option<(u64, u64)>) -> Done {
    match expected {
        Some(expected) if kernel::file_id(file.0)? != expected => Err(Errno(libc::ESTALE)),
        _ => Ok(()),
    }
}

impl Child<'_> {
    pub(super) fn file_step(&mut self, op: &Op) -> Done {
        match op {
            Op::NewRoot { options } => self.new_root(options),
            Op::NewMount { fs, options, attr, into } => {
                let mount = new_mount(fs, options, *attr)?;
                self.store(*into, mount)
            }
            Op::CloneTree { at, path, recursive, into } => {
                let tree = clone_tree(self.fd(*at)?, path, *recursive)?;
                self.store(*into, tree)
            }
            Op::CloneHost { path, recursive, expected, into } => {
                let place = open_in_root(self.fd(Fd::Cwd)?, path, libc::O_PATH, 0)?;
                must_be(&place, *expected)?;
                let tree = kernel::clone_tree(place.0, c"", *recursive)?;
                self.store(*into, tree)
            }
            Op::SetAttr { at, recursive, set, clear, userns } => {
                let userns = match userns {
                    Some(namespace) => Some(self.fd(*namespace)?),
                    None => None,
                };
                done(kernel::mount_setattr(self.fd(*at)?, *recursive, *set, *clear, userns))
            }
            Op::Attach { from, root, path, expected } => {
                let target = open_in_root(self.fd(*root)?, path, libc::O_PATH, 0)?;
                must_be(&target, *expected)?;
                done(kernel::attach(self.fd(*from)?, target.0))
            }
            Op::Open { root, path, into } => {
                let flags = libc::O_PATH | libc::O_CLOEXEC;
                let file = kernel::openat2(self.fd(*root)?, path, flags, 0, RESOLVE)?;
                self.store(*into, file)
            }
            Op::Make { root, path, node, mode, uid, gid } => {
                make(self.fd(*root)?, path, node, *mode, (*uid, *gid))
            }
            Op::MakeMany { root, path, directories } => make_many(self.fd(*root)?, path, directories),
            Op::Opaque { root, path } => {
                let directory = open_in_root(self.fd(*root)?, path, libc::O_DIRECTORY, 0)?;
                done(kernel::fsetxattr(directory.0, c"trusted.overlay.opaque", b"y"))
            }
            Op::Write { root, path, data, create } => write(self.fd(*root)?, path, data, *create),
            Op::Landlock(ruleset) => confine(ruleset),
            Op::Pivot => {
                kernel::fchdir(self.fd(ROOT)?)?;
                kernel::pivot_to_working_directory()?;
                done(kernel::chdir(c"/"))
            }
            _ => Err(Errno(libc::ENOSYS)), // every other operation is the caller's
        }
    }

    fn new_root(&mut self, options: &[(CString, CString)]) -> Done {
        kernel::make_private()?;
        let root = new_mount(c"tmpfs", options, libc::MOUNT_ATTR_NOSUID)?;
        let Fd::Slot(slot) = ROOT else { return Err(Errno(libc::EBADF)) };
        self.store(slot, root)?;
        done(kernel::attach_over_root(root as RawFd))
    }
}

fn new_mount(fs: &CStr, options: &[(CString, CString)], attr: u64) -> Result<usize, Errno> {
    let context = Temporary(kernel::fsopen(fs)? as RawFd);
    for (key, value) in options {
        kernel::fsconfig(context.0, key, value)?;
    }
    kernel::fscreate(context.0)?;
    kernel::fsmount(context.0, attr)
}

fn clone_tree(at: RawFd, path: &CStr, recursive: bool) -> Result<usize, Errno> {
    if path.is_empty() {
        return kernel::clone_tree(at, c"", recursive);
    }
    let place = open_in_root(at, path, libc::O_PATH, 0)?;
    kernel::clone_tree(place.0, c"", recursive)
}

fn write(root: RawFd, path: &CStr, data: &[u8], create: Option<u32>) -> Done {
    let flags = if create.is_some() { libc::O_CREAT | libc::O_TRUNC } else { 0 };
    let file = open_in_root(root, path, libc::O_WRONLY | flags, create.unwrap_or(0))?;
    if let Some(mode) = create {
        kernel::fchmod(file.0, mode)?;
    }
    match kernel::write(file.0, data)? == data.len() {
        true => Ok(()),
        false => Err(Errno(libc::EIO)),
    }
}

fn make(root: RawFd, path: &CStr, node: &Node, mode: u32, (uid, gid): (u32, u32)) -> Done {
    let mut buffer = [0; PATH_MAX];
    let (parent, name) = split(path, &mut buffer)?;
    let parent = open_in_root(root, parent, libc::O_PATH | libc::O_DIRECTORY, 0)?;
    let made = match node {
        Node::Dir => kernel::mkdirat(parent.0, name, mode),
        Node::File => kernel::mknodat(parent.0, name, libc::S_IFREG | mode, 0),
        Node::Symlink(content) => kernel::symlinkat(content, parent.0, name),
        Node::CharDev { major, minor } => {
            kernel::mknodat(parent.0, name, libc::S_IFCHR | mode, libc::makedev(*major, *minor))
        }
    };
    match made {
        Err(Errno(libc::EEXIST)) if kernel::file_type(parent.0, name)? == type_of(node) => return Ok(()),
        answer => answer?,
    };
    kernel::fchownat(parent.0, name, uid, gid)?;
    match node {
        Node::Symlink(_) => Ok(()),
        _ => done(kernel::fchmodat(parent.0, name, mode)), // after the owner, and past the umask
    }
}

fn make_many(root: RawFd, path: &CStr, directories: &[Directory]) -> Done {
    let parent = open_in_root(root, if path.is_empty() { c"." } else { path }, libc::O_PATH, 0)?;
    let umask = kernel::umask(0)? as u32;
    let made = directories.iter().try_for_each(|directory| {
        kernel::mkdirat(parent.0, &directory.path, directory.mode)?;
        done(kernel::fchownat(parent.0, &directory.path, directory.uid, directory.gid))
    });
    kernel::umask(umask)?;
    made
}

/// What cannot be reached by now, because this process is another user or the jail has moved it, gets no rule: less is
/// let through then, never more.
fn confine(ruleset: &Ruleset) -> Done {
    let made = Temporary(kernel::landlock_ruleset(ruleset.fs, ruleset.net, ruleset.scoped)? as RawFd);
    for (path, access) in &ruleset.paths {
        let flags = libc::O_PATH | libc::O_CLOEXEC;
        match kernel::openat2(libc::AT_FDCWD, path, flags, 0, libc::RESOLVE_NO_SYMLINKS) {
            Ok(place) => kernel::landlock_allow(made.0, Temporary(place as RawFd).0, *access)?,
            Err(Errno(libc::EACCES | libc::ENOENT | libc::ENOTDIR | libc::ELOOP)) => 0,
            Err(errno) => return Err(errno),
        };
    }
    for (file, access) in &ruleset.files {
        match kernel::landlock_allow(made.0, *file, *access) {
            Err(Errno(libc::EBADF | libc::EBADFD)) => {}
            answer => done(answer)?,
        }
    }
    done(kernel::landlock_restrict(made.0))
}

fn type_of(node: &Node) -> u32 {
    match node {
        Node::Dir => libc::S_IFDIR,
        Node::File => libc::S_IFREG,
        Node::Symlink(_) => libc::S_IFLNK,
        Node::CharDev { .. } => libc::S_IFCHR,
    }
}

/// Splits a path into its directory, copied into `buffer`, and its last component.
fn split<'a>(path: &'a CStr, buffer: &'a mut [u8; PATH_MAX]) -> Result<(&'a CStr, &'a CStr), Errno> {
    let bytes = path.to_bytes_with_nul();
    let slash = bytes.iter().rposition(|byte| *byte == b'/');
    let (directory, name) = match slash {
        None => (b".".as_slice(), bytes),
        Some(0) => (b"/".as_slice(), bytes.get(1..).unwrap_or_default()),
        Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..).unwrap_or_default()),
    };
    let invalid = Errno(libc::EINVAL);
    let name = CStr::from_bytes_with_nul(name).map_err(|_| invalid)?;
    if matches!(name.to_bytes(), b"" | b"." | b"..") {
        return Err(invalid);
    }
    let room = buffer.get_mut(..directory.len() + 1).ok_or(Errno(libc::ENAMETOOLONG))?;
    for (to, from) in room.iter_mut().zip(directory.iter().chain(b"\0")) {
        *to = *from;
    }
    Ok((CStr::from_bytes_with_nul(room).map_err(|_| invalid)?, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_splits_into_directory_and_name() {
        let parts = |path: &CStr| {
            let mut buffer = [0; PATH_MAX];
            split(path, &mut buffer).map(|(directory, name)| (directory.to_owned(), name.to_owned()))
        };
        assert_eq!(parts(c"dev/null"), Ok((c"dev".into(), c"null".into())));
        assert_eq!(parts(c"/dev"), Ok((c"/".into(), c"dev".into())));
        assert_eq!(parts(c"dev"), Ok((c".".into(), c"dev".into())));
        assert_eq!(parts(c"dev/"), Err(Errno(libc::EINVAL)));
        assert_eq!(parts(c"dev/.."), Err(Errno(libc::EINVAL)));
    }
}
