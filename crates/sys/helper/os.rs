//! The system calls the helper makes, and the numbers they take.

use core::ffi::{CStr, c_char};

use crate::raw::{self, Answer};

/// System call numbers, from the kernel's table for this architecture.
#[cfg(target_arch = "x86_64")]
pub(crate) mod nr {
    pub(crate) const READ: usize = 0;
    pub(crate) const WRITE: usize = 1;
    pub(crate) const CLOSE: usize = 3;
    pub(crate) const RT_SIGACTION: usize = 13;
    pub(crate) const RT_SIGPROCMASK: usize = 14;
    pub(crate) const IOCTL: usize = 16;
    pub(crate) const KILL: usize = 62;
    pub(crate) const FCNTL: usize = 72;
    pub(crate) const GETPGID: usize = 121;
    pub(crate) const CAPGET: usize = 125;
    pub(crate) const CAPSET: usize = 126;
    pub(crate) const PRCTL: usize = 157;
    pub(crate) const RESTART: usize = 219;
    pub(crate) const EXIT_GROUP: usize = 231;
    pub(crate) const WAITID: usize = 247;
    pub(crate) const OPENAT: usize = 257;
    pub(crate) const UNLINKAT: usize = 263;
    pub(crate) const PPOLL: usize = 271;
    pub(crate) const SIGNALFD4: usize = 289;
    pub(crate) const SECCOMP: usize = 317;
    pub(crate) const EXECVEAT: usize = 322;
    pub(crate) const PIDFD_SEND_SIGNAL: usize = 424;
    /// `AUDIT_ARCH_X86_64`.
    pub(crate) const ARCHITECTURE: u32 = 0xc000_003e;
}

/// System call numbers, from the kernel's table for this architecture.
#[cfg(target_arch = "aarch64")]
pub(crate) mod nr {
    pub(crate) const READ: usize = 63;
    pub(crate) const WRITE: usize = 64;
    pub(crate) const CLOSE: usize = 57;
    pub(crate) const RT_SIGACTION: usize = 134;
    pub(crate) const RT_SIGPROCMASK: usize = 135;
    pub(crate) const IOCTL: usize = 29;
    pub(crate) const KILL: usize = 129;
    pub(crate) const FCNTL: usize = 25;
    pub(crate) const GETPGID: usize = 155;
    pub(crate) const CAPGET: usize = 90;
    pub(crate) const CAPSET: usize = 91;
    pub(crate) const PRCTL: usize = 167;
    pub(crate) const RESTART: usize = 128;
    pub(crate) const EXIT_GROUP: usize = 94;
    pub(crate) const WAITID: usize = 95;
    pub(crate) const OPENAT: usize = 56;
    pub(crate) const UNLINKAT: usize = 35;
    pub(crate) const PPOLL: usize = 73;
    pub(crate) const SIGNALFD4: usize = 74;
    pub(crate) const SECCOMP: usize = 277;
    pub(crate) const EXECVEAT: usize = 281;
    pub(crate) const PIDFD_SEND_SIGNAL: usize = 424;
    /// `AUDIT_ARCH_AARCH64`.
    pub(crate) const ARCHITECTURE: u32 = 0xc000_00b7;
}

pub(crate) const ENOENT: i32 = 2;
pub(crate) const EINTR: i32 = 4;
pub(crate) const EIO: i32 = 5;
pub(crate) const EAGAIN: i32 = 11;
pub(crate) const EACCES: i32 = 13;
pub(crate) const ENOTDIR: i32 = 20;
pub(crate) const ENOSPC: i32 = 28;
pub(crate) const ENOSYS: i32 = 38;
pub(crate) const EDQUOT: i32 = 122;
pub(crate) const EISDIR: i32 = 21;
const AT_FDCWD: usize = -100isize as usize;

/// signal(7).
pub(crate) mod signal {
    pub(crate) const HUP: i32 = 1;
    pub(crate) const INT: i32 = 2;
    pub(crate) const QUIT: i32 = 3;
    pub(crate) const KILL: i32 = 9;
    pub(crate) const USR1: i32 = 10;
    pub(crate) const USR2: i32 = 12;
    pub(crate) const PIPE: i32 = 13;
    pub(crate) const TERM: i32 = 15;
    pub(crate) const CONT: i32 = 18;
    pub(crate) const TTIN: i32 = 21;
    pub(crate) const TTOU: i32 = 22;
    pub(crate) const WINCH: i32 = 28;

    /// The kernel's set of these signals.
    pub(crate) const fn set(signals: &[i32]) -> u64 {
        let (mut set, mut index) = (0, 0);
        while index < signals.len() {
            set |= 1 << (signals[index] - 1);
            index += 1;
        }
        set
    }
}

/// A call whose address arguments were all made from references or slices that live across it.
fn call(number: usize, arguments: [usize; 6]) -> Answer {
    // SAFETY: private to this file; each function below passes addresses of borrowed values of the type and length that
    // the call's man page names.
    unsafe { raw::call(number, arguments) }
}

fn fd(number: i32) -> usize {
    number as isize as usize
}

pub(crate) fn exit(status: i32) -> ! {
    loop {
        let _ = call(nr::EXIT_GROUP, [status as usize, 0, 0, 0, 0, 0]);
    }
}

pub(crate) fn read(file: i32, buffer: &mut [u8]) -> Answer {
    call(nr::READ, [fd(file), buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0])
}

pub(crate) fn write(file: i32, data: &[u8]) -> Answer {
    call(nr::WRITE, [fd(file), data.as_ptr() as usize, data.len(), 0, 0, 0])
}

/// A sentence for the user, who may not be there to read it.
pub(crate) fn complain(sentence: &[u8]) {
    let _ = write(2, sentence);
}

pub(crate) fn close(file: i32) {
    let _ = call(nr::CLOSE, [fd(file), 0, 0, 0, 0, 0]);
}

const NONBLOCK: usize = 0o4_000;

pub(crate) fn set_nonblocking(file: i32) {
    const F_GETFL: usize = 3;
    const F_SETFL: usize = 4;
    if let Ok(flags) = call(nr::FCNTL, [fd(file), F_GETFL, 0, 0, 0, 0]) {
        let _ = call(nr::FCNTL, [fd(file), F_SETFL, flags | NONBLOCK, 0, 0, 0]);
    }
}

/// Has it closed by execve(2).
pub(crate) fn close_on_exec(file: i32) -> Answer {
    const F_SETFD: usize = 2;
    const FD_CLOEXEC: usize = 1;
    call(nr::FCNTL, [fd(file), F_SETFD, FD_CLOEXEC, 0, 0, 0])
}

/// Opens a pipe or a terminal, close-on-exec; `access` is `O_RDONLY` or `O_WRONLY`.
pub(crate) fn open_nonblocking(path: &CStr, access: usize) -> Result<i32, raw::Errno> {
    const NOCTTY_CLOEXEC: usize = 0o400 | 0o2_000_000;
    let flags = access | NONBLOCK | NOCTTY_CLOEXEC;
    call(nr::OPENAT, [AT_FDCWD, path.as_ptr() as usize, flags, 0, 0, 0]).map(|file| file as i32)
}

/// Whether it is a pipe, with or without a name: only those have a capacity.
pub(crate) fn is_pipe(file: i32) -> bool {
    const F_GETPIPE_SZ: usize = 1032;
    call(nr::FCNTL, [fd(file), F_GETPIPE_SZ, 0, 0, 0, 0]).is_ok()
}

/// How many bytes a pipe holds.
pub(crate) fn available(pipe: i32) -> usize {
    const FIONREAD: usize = 0x541B;
    let mut bytes = 0_i32;
    let _ = ioctl(pipe, FIONREAD, &mut bytes);
    usize::try_from(bytes).unwrap_or(0)
}

/// Our process group.
pub(crate) fn group() -> Answer {
    call(nr::GETPGID, [0; 6])
}

pub(crate) fn kill(process: i32, signal: i32) {
    let _ = call(nr::KILL, [fd(process), signal as usize, 0, 0, 0, 0]);
}

pub(crate) fn send_signal(pidfd: i32, signal: i32) {
    let _ = call(nr::PIDFD_SEND_SIGNAL, [fd(pidfd), signal as usize, 0, 0, 0, 0]);
}

pub(crate) fn set_name(name: &CStr) {
    const PR_SET_NAME: usize = 15;
    let _ = call(nr::PRCTL, [PR_SET_NAME, name.as_ptr() as usize, 0, 0, 0, 0]);
}

/// `PR_SET_DUMPABLE`: nobody may attach to us or read /proc/PID/{fd,exe,maps}.
pub(crate) fn not_dumpable() -> Answer {
    const PR_SET_DUMPABLE: usize = 4;
    call(nr::PRCTL, [PR_SET_DUMPABLE, 0, 0, 0, 0, 0])
}

/// One instruction of a seccomp program.
#[repr(C)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) if_true: u8,
    pub(crate) if_false: u8,
    pub(crate) operand: u32,
}

#[repr(C)]
struct Filter {
    length: u16,
    program: *const Instruction,
}

/// no_new_privs, then this filter. Without, on a kernel that has no filters: nobody gets there but by `--seccomp=none`.
pub(crate) fn confine(program: &[Instruction]) -> Answer {
    const PR_SET_NO_NEW_PRIVS: usize = 38;
    const SECCOMP_SET_MODE_FILTER: usize = 1;
    call(nr::PRCTL, [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0])?;
    let filter = Filter { length: program.len() as u16, program: program.as_ptr() };
    match call(nr::SECCOMP, [SECCOMP_SET_MODE_FILTER, 0, &raw const filter as usize, 0, 0, 0]) {
        Err(raw::Errno(ENOSYS)) => Ok(0),
        answer => answer,
    }
}

/// The header of capset(2): version 3, this process.
const CAPABILITIES: [u32; 2] = [0x2008_0522, 0];

/// capset(2): of what is permitted only these stay so, and of these only those are effective. Nothing is inheritable.
pub(crate) fn keep_capabilities(permitted: u64, effective: u64) -> Answer {
    let header = CAPABILITIES.as_ptr() as usize;
    let mut sets = [0u32; 6]; // effective, permitted, inheritable; the lower halves before the upper ones
    call(nr::CAPGET, [header, sets.as_mut_ptr() as usize, 0, 0, 0, 0])?;
    let [_, low, _, _, high, _] = sets;
    let (low, high) = (low & permitted as u32, high & (permitted >> 32) as u32);
    let sets = [low & effective as u32, low, 0, high & (effective >> 32) as u32, high, 0];
    call(nr::CAPSET, [header, sets.as_ptr() as usize, 0, 0, 0, 0])
}

/// Drops every capability but these from the bounding set, as far as we may.
pub(crate) fn bound_capabilities(kept: u64) {
    const PR_CAPBSET_DROP: usize = 24;
    for capability in (0..64).filter(|capability| kept & (1 << capability) == 0) {
        let _ = call(nr::PRCTL, [PR_CAPBSET_DROP, capability, 0, 0, 0, 0]);
    }
}

/// Those of these signals that whoever started us wanted ignored, as nohup(1) and a shell without job control do.
pub(crate) fn ignored(set: u64) -> u64 {
    const SIG_IGN: usize = 1;
    let ignored = |signal: &i32| {
        let mut action = [0_usize; 4]; // the kernel's struct sigaction, its handler first
        let asked = [*signal as usize, 0, action.as_mut_ptr() as usize, 8, 0, 0];
        call(nr::RT_SIGACTION, asked).is_ok() && action[0] == SIG_IGN
    };
    (1..=64).filter(|signal| set & signal::set(&[*signal]) != 0).filter(ignored).map(|one| signal::set(&[one])).sum()
}

/// Blocks these signals beside those already blocked.
pub(crate) fn block(set: u64) -> Answer {
    const SIG_BLOCK: usize = 0;
    call(nr::RT_SIGPROCMASK, [SIG_BLOCK, &raw const set as usize, 0, 8, 0, 0])
}

/// A descriptor to read these signals from, which must be blocked; reading it does not wait.
pub(crate) fn signalfd(set: u64) -> Answer {
    const CLOEXEC: usize = 0o2_000_000;
    call(nr::SIGNALFD4, [fd(-1), &raw const set as usize, 8, CLOEXEC | NONBLOCK, 0, 0])
}

/// Bytes of one `struct signalfd_siginfo`; its first word is the signal.
const SIGNAL_RECORD: usize = 128;

/// The next signal that arrived, if any.
pub(crate) fn next_signal(signals: i32) -> Option<i32> {
    let mut record = [0u8; SIGNAL_RECORD];
    match read(signals, &mut record) {
        Ok(SIGNAL_RECORD) => Some(i32::from_ne_bytes([record[0], record[1], record[2], record[3]])),
        _ => None,
    }
}

/// Something to wait for.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Poll {
    pub(crate) file: i32,
    pub(crate) events: i16,
    pub(crate) happened: i16,
}

impl Poll {
    pub(crate) const IN: i16 = 1;
    pub(crate) const OUT: i16 = 4;
    /// Happens unasked; to a pipe when nobody reads it.
    pub(crate) const ERR: i16 = 8;
    /// A place that is not used.
    pub(crate) const NOTHING: Poll = Poll::new(-1, 0);

    pub(crate) const fn new(file: i32, events: i16) -> Self {
        Poll { file, events, happened: 0 }
    }
}

/// Waits until something happened.
pub(crate) fn poll(files: &mut [Poll]) {
    let _ = call(nr::PPOLL, [files.as_mut_ptr() as usize, files.len(), 0, 0, 8, 0]);
}

/// Which child to wait for.
pub(crate) enum Whom {
    Anyone,
    Pidfd(i32),
}

/// A child that ended: its pid, and `si_code` and `si_status`.
pub(crate) struct Dead {
    pub(crate) pid: i32,
    pub(crate) code: i32,
    pub(crate) status: i32,
}

/// waitid(2) without waiting: `Ok(None)` when there are children but none has ended, an error when there are none.
pub(crate) fn reap(whom: Whom) -> Result<Option<Dead>, raw::Errno> {
    const WNOHANG: usize = 1;
    const WEXITED: usize = 4;
    const WALL: usize = 0x4000_0000;
    let (kind, id) = match whom {
        Whom::Anyone => (0, 0),
        Whom::Pidfd(pidfd) => (3, fd(pidfd)),
    };
    let mut info = [0i32; 32]; // siginfo_t: signo, errno, code, -, pid, uid, status
    call(nr::WAITID, [kind, id, info.as_mut_ptr() as usize, WNOHANG | WEXITED | WALL, 0, 0])?;
    let [_, _, code, _, pid, _, status, ..] = info;
    Ok((pid != 0).then_some(Dead { pid, code, status }))
}

/// unlink(2), or rmdir(2) for a directory.
pub(crate) fn remove(path: &CStr) {
    const AT_REMOVEDIR: usize = 0x200;
    let path = path.as_ptr() as usize;
    if call(nr::UNLINKAT, [AT_FDCWD, path, 0, 0, 0, 0]) == Err(raw::Errno(EISDIR)) {
        let _ = call(nr::UNLINKAT, [AT_FDCWD, path, AT_REMOVEDIR, 0, 0, 0]);
    }
}

/// Becomes an open program; returns only if it fails.
///
/// # Safety
/// Both vectors must end with null and point to strings that end with NUL.
pub(crate) unsafe fn execute(file: i32, argv: *const *const c_char, envp: *const *const c_char) {
    const AT_EMPTY_PATH: usize = 0x1000;
    let arguments = [fd(file), c"".as_ptr() as usize, argv as usize, envp as usize, AT_EMPTY_PATH, 0];
    let _ = call(nr::EXECVEAT, arguments);
}

/// Becomes the program at a path; the answer says why not.
///
/// # Safety
/// The path must end with NUL, and both vectors must end with null and point to strings that end with NUL.
pub(crate) unsafe fn execute_path(
    path: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> raw::Errno {
    let arguments = [AT_FDCWD, path as usize, argv as usize, envp as usize, 0, 0];
    call(nr::EXECVEAT, arguments).err().unwrap_or(raw::Errno(ENOENT))
}

/// ioctl(2) with the address of a value.
pub(crate) fn ioctl<T>(file: i32, request: usize, value: &mut T) -> Answer {
    call(nr::IOCTL, [fd(file), request, &raw mut *value as usize, 0, 0, 0])
}
