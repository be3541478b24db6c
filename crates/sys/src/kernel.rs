//! The system calls we make, typed, over [`crate::raw`]: for the child, which may use nothing else, and for the host's
//! half in [`crate::call`]. No allocation, no errno.

use std::ffi::{CStr, c_char};
use std::os::fd::RawFd;

use crate::raw::{self, Answer};

/// The empty path, for `AT_EMPTY_PATH`.
const EMPTY: &CStr = c"";

fn address<T: ?Sized>(thing: &T) -> usize {
    std::ptr::from_ref(thing).cast::<u8>() as usize
}

fn fd(number: RawFd) -> usize {
    number as isize as usize
}

/// A call none of whose arguments is an address.
fn plain(number: libc::c_long, arguments: [usize; 6]) -> Answer {
    // SAFETY: private to this file and used only for calls that take numbers, so no memory is touched.
    unsafe { raw::call(number as usize, arguments) }
}

/// A call whose address arguments were all made from references or slices that live across it.
fn with_memory(number: libc::c_long, arguments: [usize; 6]) -> Answer {
    // SAFETY: private to this file; each caller passes addresses of borrowed values of the type and length that the
    // call's man page names, mutable ones where the kernel writes.
    unsafe { raw::call(number as usize, arguments) }
}

// ---- processes ------------------------------------------------------------------------------------------------------

/// _exit(2), all threads.
pub(crate) fn exit(status: i32) -> ! {
    loop {
        let _ = plain(libc::SYS_exit_group, [status as usize, 0, 0, 0, 0, 0]);
    }
}

/// execveat(2). `directory` and `flags` as there; `path` empty with `AT_EMPTY_PATH` means the file itself.
///
/// # Safety
/// `argv` and `envp` must end with null and point to strings that end with NUL.
pub(crate) unsafe fn execveat(
    directory: RawFd,
    path: &CStr,
    argv: *const *const c_char,
    envp: *const *const c_char,
    flags: i32,
) -> Answer {
    // SAFETY: the vectors are the caller's promise, the path is borrowed.
    unsafe {
        raw::call(
            libc::SYS_execveat as usize,
            [fd(directory), path.as_ptr() as usize, argv as usize, envp as usize, flags as usize, 0],
        )
    }
}

pub(crate) fn pidfd_open(pid: i32) -> Answer {
    plain(libc::SYS_pidfd_open, [pid as usize, 0, 0, 0, 0, 0])
}

pub(crate) fn kill(pid: i32, signal: i32) -> Answer {
    plain(libc::SYS_kill, [pid as usize, signal as usize, 0, 0, 0, 0])
}

pub(crate) fn pidfd_send_signal(pidfd: RawFd, signal: i32) -> Answer {
    plain(libc::SYS_pidfd_send_signal, [fd(pidfd), signal as usize, 0, 0, 0, 0])
}

pub(crate) fn setsid() -> Answer {
    plain(libc::SYS_setsid, [0; 6])
}

/// keyctl(2) `KEYCTL_JOIN_SESSION_KEYRING` without a name.
pub(crate) fn own_session_keyring() -> Answer {
    const JOIN_SESSION_KEYRING: usize = 1;
    plain(libc::SYS_keyctl, [JOIN_SESSION_KEYRING, 0, 0, 0, 0, 0])
}

pub(crate) fn umask(mode: u32) -> Answer {
    plain(libc::SYS_umask, [mode as usize, 0, 0, 0, 0, 0])
}

pub(crate) fn chdir(path: &CStr) -> Answer {
    with_memory(libc::SYS_chdir, [path.as_ptr() as usize, 0, 0, 0, 0, 0])
}

/// getcwd(2): how many bytes of `buffer` it fills, the NUL included.
pub(crate) fn getcwd(buffer: &mut [u8]) -> Answer {
    with_memory(libc::SYS_getcwd, [buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0, 0])
}

pub(crate) fn fchdir(directory: RawFd) -> Answer {
    plain(libc::SYS_fchdir, [fd(directory), 0, 0, 0, 0, 0])
}

/// The kernel's `struct sigaction`, the action first; all zero is the default action.
#[repr(C)]
struct KernelAction([u64; 4]);

/// Puts one signal's action back to the default.
pub(crate) fn default_action(signal: i32) -> Answer {
    action(signal, libc::SIG_DFL)
}

/// Has one signal ignored.
pub(crate) fn ignore(signal: i32) -> Answer {
    action(signal, libc::SIG_IGN)
}

fn action(signal: i32, what: usize) -> Answer {
    let action = KernelAction([what as u64, 0, 0, 0]);
    with_memory(libc::SYS_rt_sigaction, [signal as usize, address(&action), 0, 8, 0, 0])
}

/// rt_sigprocmask(2) `SIG_SETMASK` with the kernel's own 64-bit set, which libc would not let touch signals 32 and 33.
pub(crate) fn set_signal_mask(mask: u64) -> Result<u64, raw::Errno> {
    let mut old = 0u64;
    let how = libc::SIG_SETMASK as usize;
    with_memory(libc::SYS_rt_sigprocmask, [how, address(&mask), &raw mut old as usize, 8, 0, 0])?;
    Ok(old)
}

/// prctl(2). `argument` is a number, or the address of a value that outlives the call.
pub(crate) fn prctl(option: i32, argument: usize, second: usize) -> Answer {
    with_memory(libc::SYS_prctl, [option as usize, argument, second, 0, 0, 0])
}

pub(crate) fn set_limit(resource: u32, soft: u64, hard: u64) -> Answer {
    let limit = libc::rlimit64 { rlim_cur: soft, rlim_max: hard };
    with_memory(libc::SYS_prlimit64, [0, resource as usize, address(&limit), 0, 0, 0])
}

/// landlock_create_ruleset(2) with access rights to files and the network and a scope, `LANDLOCK_*`.
pub(crate) fn landlock_ruleset(fs: u64, net: u64, scoped: u64) -> Answer {
    let attributes = [fs, net, scoped];
    let size = size_of_val(&attributes);
    with_memory(libc::SYS_landlock_create_ruleset, [address(&attributes), size, 0, 0, 0, 0])
}

/// landlock_create_ruleset(2) `LANDLOCK_CREATE_RULESET_VERSION`.
pub(crate) fn landlock_version() -> Answer {
    const VERSION: usize = 1;
    plain(libc::SYS_landlock_create_ruleset, [0, 0, VERSION, 0, 0, 0])
}

/// The kernel's `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    access: u64,
    parent: i32,
}

/// landlock_add_rule(2) `LANDLOCK_RULE_PATH_BENEATH`.
pub(crate) fn landlock_allow(ruleset: RawFd, parent: RawFd, access: u64) -> Answer {
    const PATH_BENEATH: usize = 1;
    let rule = PathBeneath { access, parent };
    with_memory(libc::SYS_landlock_add_rule, [fd(ruleset), PATH_BENEATH, address(&rule), 0, 0, 0])
}

/// landlock_restrict_self(2).
pub(crate) fn landlock_restrict(ruleset: RawFd) -> Answer {
    plain(libc::SYS_landlock_restrict_self, [fd(ruleset), 0, 0, 0, 0, 0])
}

pub(crate) fn seccomp(filter: &[u64], flags: u32) -> Answer {
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_ptr().cast_mut().cast::<libc::sock_filter>(),
    };
    let operation = libc::SECCOMP_SET_MODE_FILTER as usize;
    with_memory(libc::SYS_seccomp, [operation, flags as usize, address(&program), 0, 0, 0])
}

/// The header of capset(2): version 3, this process.
const CAPABILITIES: [u32; 2] = [0x2008_0522, 0];

/// capset(2): permitted and effective, nothing inheritable.
pub(crate) fn set_capabilities(mask: u64) -> Answer {
    let (low, high) = (mask as u32, (mask >> 32) as u32);
    let sets = [low, low, 0, high, high, 0];
    with_memory(libc::SYS_capset, [address(&CAPABILITIES), address(&sets), 0, 0, 0, 0])
}

/// Sets the inheritable set and leaves the others.
pub(crate) fn set_inheritable(mask: u64) -> Answer {
    change_capabilities(|[_, _, low, _, _, high]| (*low, *high) = (mask as u32, (mask >> 32) as u32))
}

/// Makes what is permitted effective.
pub(crate) fn use_permitted() -> Answer {
    change_capabilities(|sets| (sets[0], sets[3]) = (sets[1], sets[4]))
}

/// The sets are effective, permitted and inheritable, the lower halves before the upper ones.
fn change_capabilities(change: impl FnOnce(&mut [u32; 6])) -> Answer {
    let mut sets = [0u32; 6];
    with_memory(libc::SYS_capget, [address(&CAPABILITIES), &raw mut sets as usize, 0, 0, 0, 0])?;
    change(&mut sets);
    with_memory(libc::SYS_capset, [address(&CAPABILITIES), address(&sets), 0, 0, 0, 0])
}

pub(crate) fn set_ids(uid: u32, gid: u32, groups: &[u32]) -> Answer {
    with_memory(libc::SYS_setgroups, [groups.len(), groups.as_ptr() as usize, 0, 0, 0, 0])?;
    let (uid, gid) = (uid as usize, gid as usize);
    plain(libc::SYS_setresgid, [gid, gid, gid, 0, 0, 0])?;
    plain(libc::SYS_setresuid, [uid, uid, uid, 0, 0, 0])
}

// ---- namespaces -----------------------------------------------------------------------------------------------------

pub(crate) fn setns(namespace: RawFd, flags: i32) -> Answer {
    plain(libc::SYS_setns, [fd(namespace), flags as usize, 0, 0, 0, 0])
}

pub(crate) fn unshare(flags: i32) -> Answer {
    plain(libc::SYS_unshare, [flags as usize, 0, 0, 0, 0, 0])
}

pub(crate) fn sethostname(name: &CStr) -> Answer {
    with_memory(libc::SYS_sethostname, [name.as_ptr() as usize, name.count_bytes(), 0, 0, 0, 0])
}

/// The kernel's `struct ifreq` as far as `SIOCGIFFLAGS` uses it.
#[repr(C)]
struct InterfaceFlags {
    name: [u8; 16],
    flags: i16,
    rest: [u8; 22],
}

/// Brings up `lo` of this network namespace.
pub(crate) fn loopback_up() -> Answer {
    let kind = (libc::SOCK_DGRAM | libc::SOCK_CLOEXEC) as usize;
    let socket = plain(libc::SYS_socket, [libc::AF_INET as usize, kind, 0, 0, 0, 0])?;
    let mut request = InterfaceFlags { name: *b"lo\0\0\0\0\0\0\0\0\0\0\0\0\0\0", flags: 0, rest: [0; 22] };
    let mut done = ioctl(socket as RawFd, libc::SIOCGIFFLAGS as libc::Ioctl, &raw mut request as usize);
    if done.is_ok() {
        request.flags |= libc::IFF_UP as i16;
        done = ioctl(socket as RawFd, libc::SIOCSIFFLAGS as libc::Ioctl, &raw mut request as usize);
    }
    let _ = close(socket as RawFd);
    done
}

// ---- descriptors ----------------------------------------------------------------------------------------------------

pub(crate) fn close(file: RawFd) -> Answer {
    plain(libc::SYS_close, [fd(file), 0, 0, 0, 0, 0])
}

/// dup3(2) without close-on-exec.
pub(crate) fn duplicate_to(from: RawFd, to: RawFd) -> Answer {
    plain(libc::SYS_dup3, [fd(from), fd(to), 0, 0, 0, 0])
}

pub(crate) fn fcntl(file: RawFd, command: i32, argument: i32) -> Answer {
    plain(libc::SYS_fcntl, [fd(file), command as usize, argument as usize, 0, 0, 0])
}

/// ioctl(2). `argument` is a number, or the address of a value that outlives the call.
pub(crate) fn ioctl(file: RawFd, request: libc::Ioctl, argument: usize) -> Answer {
    with_memory(libc::SYS_ioctl, [fd(file), request as usize, argument, 0, 0, 0])
}

/// close_range(2), both ends included.
pub(crate) fn close_range(first: RawFd, last: RawFd) -> Answer {
    plain(libc::SYS_close_range, [first as usize, last as usize, 0, 0, 0, 0])
}

pub(crate) fn close_on_exec_from(first: u32) -> Answer {
    let flags = libc::CLOSE_RANGE_CLOEXEC as usize;
    plain(libc::SYS_close_range, [first as usize, u32::MAX as usize, flags, 0, 0, 0])
}

pub(crate) fn read(file: RawFd, buffer: &mut [u8]) -> Answer {
    with_memory(libc::SYS_read, [fd(file), buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0])
}

pub(crate) fn write(file: RawFd, data: &[u8]) -> Answer {
    with_memory(libc::SYS_write, [fd(file), data.as_ptr() as usize, data.len(), 0, 0, 0])
}

// ---- files ----------------------------------------------------------------------------------------------------------

/// The kernel's `struct open_how`.
#[repr(C)]
struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

/// openat2(2). `resolve` holds `RESOLVE_*`.
pub(crate) fn openat2(directory: RawFd, path: &CStr, flags: i32, mode: u32, resolve: u64) -> Answer {
    let how = OpenHow { flags: u64::from(flags as u32), mode: u64::from(mode), resolve };
    let size = size_of::<OpenHow>();
    with_memory(libc::SYS_openat2, [fd(directory), path.as_ptr() as usize, address(&how), size, 0, 0])
}

pub(crate) fn mkdirat(directory: RawFd, name: &CStr, mode: u32) -> Answer {
    with_memory(libc::SYS_mkdirat, [fd(directory), name.as_ptr() as usize, mode as usize, 0, 0, 0])
}

/// mknodat(2); also makes empty regular files (`S_IFREG`).
pub(crate) fn mknodat(directory: RawFd, name: &CStr, mode: u32, device: u64) -> Answer {
    with_memory(
        libc::SYS_mknodat,
        [fd(directory), name.as_ptr() as usize, mode as usize, device as usize, 0, 0],
    )
}

pub(crate) fn symlinkat(content: &CStr, directory: RawFd, name: &CStr) -> Answer {
    let (content, name) = (content.as_ptr() as usize, name.as_ptr() as usize);
    with_memory(libc::SYS_symlinkat, [content, fd(directory), name, 0, 0, 0])
}

/// The type bits (`S_IFMT`) of what `name` is, not following a symbolic link.
pub(crate) fn file_type(directory: RawFd, name: &CStr) -> Result<u32, raw::Errno> {
    let mut status = std::mem::MaybeUninit::<libc::statx>::zeroed();
    let flags = libc::AT_SYMLINK_NOFOLLOW as usize;
    let (mask, at) = (libc::STATX_TYPE as usize, status.as_mut_ptr() as usize);
    with_memory(libc::SYS_statx, [fd(directory), name.as_ptr() as usize, flags, mask, at, 0])?;
    // SAFETY: plain integers, all zero before the kernel filled them in.
    let status = unsafe { status.assume_init() };
    Ok(u32::from(status.stx_mode) & libc::S_IFMT)
}

/// Device and inode number of an open file.
pub(crate) fn file_id(file: RawFd) -> Result<(u64, u64), raw::Errno> {
    let mut status = std::mem::MaybeUninit::<libc::statx>::zeroed();
    let (flags, mask) = (libc::AT_EMPTY_PATH as usize, libc::STATX_INO as usize);
    let at = status.as_mut_ptr() as usize;
    with_memory(libc::SYS_statx, [fd(file), c"".as_ptr() as usize, flags, mask, at, 0])?;
    // SAFETY: plain integers, all zero before the kernel filled them in.
    let status = unsafe { status.assume_init() };
    Ok((libc::makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino))
}

pub(crate) fn fchownat(directory: RawFd, name: &CStr, uid: u32, gid: u32) -> Answer {
    let flags = libc::AT_SYMLINK_NOFOLLOW as usize;
    let name = name.as_ptr() as usize;
    with_memory(libc::SYS_fchownat, [fd(directory), name, uid as usize, gid as usize, flags, 0])
}

/// fchmodat(2), which follows symbolic links: only for what was just made.
pub(crate) fn fchmodat(directory: RawFd, name: &CStr, mode: u32) -> Answer {
    with_memory(libc::SYS_fchmodat, [fd(directory), name.as_ptr() as usize, mode as usize, 0, 0, 0])
}

pub(crate) fn fchmod(file: RawFd, mode: u32) -> Answer {
    plain(libc::SYS_fchmod, [fd(file), mode as usize, 0, 0, 0, 0])
}

pub(crate) fn fsetxattr(file: RawFd, name: &CStr, value: &[u8]) -> Answer {
    let (name, at) = (name.as_ptr() as usize, value.as_ptr() as usize);
    with_memory(libc::SYS_fsetxattr, [fd(file), name, at, value.len(), 0, 0])
}

// ---- mounts ---------------------------------------------------------------------------------------------------------

/// Makes every mount of this mount namespace private.
pub(crate) fn make_private() -> Answer {
    let flags = (libc::MS_REC | libc::MS_PRIVATE) as usize;
    with_memory(libc::SYS_mount, [0, c"/".as_ptr() as usize, 0, flags, 0, 0])
}

pub(crate) fn fsopen(name: &CStr) -> Answer {
    let flags = libc::FSOPEN_CLOEXEC as usize;
    with_memory(libc::SYS_fsopen, [name.as_ptr() as usize, flags, 0, 0, 0, 0])
}

const FSCONFIG_SET_FLAG: usize = 0;
const FSCONFIG_SET_STRING: usize = 1;
const FSCONFIG_CMD_CREATE: usize = 6;

/// fsconfig(2): a string option, or a flag when the value is empty.
pub(crate) fn fsconfig(context: RawFd, key: &CStr, value: &CStr) -> Answer {
    let (command, value) = match value.is_empty() {
        true => (FSCONFIG_SET_FLAG, 0),
        false => (FSCONFIG_SET_STRING, value.as_ptr() as usize),
    };
    with_memory(libc::SYS_fsconfig, [fd(context), command, key.as_ptr() as usize, value, 0, 0])
}

/// fsconfig(2) `FSCONFIG_CMD_CREATE`.
pub(crate) fn fscreate(context: RawFd) -> Answer {
    plain(libc::SYS_fsconfig, [fd(context), FSCONFIG_CMD_CREATE, 0, 0, 0, 0])
}

pub(crate) fn fsmount(context: RawFd, attr: u64) -> Answer {
    plain(libc::SYS_fsmount, [fd(context), libc::FSMOUNT_CLOEXEC as usize, attr as usize, 0, 0, 0])
}

/// open_tree(2) `OPEN_TREE_CLONE` of what a descriptor refers to, or of `path` seen from it.
pub(crate) fn clone_tree(directory: RawFd, path: &CStr, recursive: bool) -> Answer {
    let recursive = if recursive { libc::AT_RECURSIVE as u32 } else { 0 };
    let flags = libc::OPEN_TREE_CLONE | libc::O_CLOEXEC as u32 | libc::AT_EMPTY_PATH as u32 | recursive;
    with_memory(libc::SYS_open_tree, [fd(directory), path.as_ptr() as usize, flags as usize, 0, 0, 0])
}

/// The kernel's `struct mount_attr`.
#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns: u64,
}

/// mount_setattr(2) of the mount a descriptor refers to.
pub(crate) fn mount_setattr(
    mount: RawFd,
    recursive: bool,
    set: u64,
    clear: u64,
    userns: Option<RawFd>,
) -> Answer {
    // a tree cloned from a shared mount of the host is its peer: what the host mounts there later would come along
    let propagation = libc::MS_PRIVATE;
    let attr = MountAttr { set, clear, propagation, userns: userns.map_or(0, |fd| fd as u64) };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    with_memory(
        libc::SYS_mount_setattr,
        [fd(mount), EMPTY.as_ptr() as usize, flags as usize, address(&attr), size_of::<MountAttr>(), 0],
    )
}

/// move_mount(2) of a detached mount onto what `to` refers to.
pub(crate) fn attach(from: RawFd, to: RawFd) -> Answer {
    let (flags, empty) =
        (libc::MOVE_MOUNT_F_EMPTY_PATH | libc::MOVE_MOUNT_T_EMPTY_PATH, EMPTY.as_ptr() as usize);
    with_memory(libc::SYS_move_mount, [fd(from), empty, fd(to), empty, flags as usize, 0])
}

/// move_mount(2) of a detached mount over this process's `/`.
pub(crate) fn attach_over_root(from: RawFd) -> Answer {
    let (empty, root) = (EMPTY.as_ptr() as usize, c"/".as_ptr() as usize);
    let flags = libc::MOVE_MOUNT_F_EMPTY_PATH as usize;
    with_memory(libc::SYS_move_mount, [fd(from), empty, fd(libc::AT_FDCWD), root, flags, 0])
}

/// pivot_root(2) to the working directory, which the old root then covers, and its removal.
pub(crate) fn pivot_to_working_directory() -> Answer {
    let here = c".".as_ptr() as usize;
    with_memory(libc::SYS_pivot_root, [here, here, 0, 0, 0, 0])?;
    with_memory(libc::SYS_umount2, [here, libc::MNT_DETACH as usize, 0, 0, 0, 0])
}
