//! The stacks of a launched child and of the one it forks, each with a guard page below.

use std::io;
use std::ptr::{self, NonNull};

/// Bytes of one stack; only what is touched takes memory.
const STACK: usize = 128 * 1024;

/// Bytes of a guard; a page on every kernel we know (64 KiB pages included).
const GUARD: usize = 64 * 1024;

/// `guard, stack, guard, stack` in one mapping.
#[derive(Debug)]
pub(super) struct Stacks(NonNull<libc::c_void>);

impl Stacks {
    pub(super) fn new() -> io::Result<Self> {
        let length = 2 * (GUARD + STACK);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE;
        // SAFETY: a new mapping anywhere disturbs nobody.
        let base = unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let stacks = Stacks(NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory)?);
        for (lowest, size) in [stacks.first(), stacks.second()] {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            // SAFETY: within the mapping just made.
            if unsafe { libc::mprotect(lowest as *mut libc::c_void, size as usize, access) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(stacks)
    }

    /// Lowest address and size of the launched child's stack.
    pub(super) fn first(&self) -> (u64, u64) {
        (self.0.as_ptr() as u64 + GUARD as u64, STACK as u64)
    }

    /// Lowest address and size of the forked child's stack.
    pub(super) fn second(&self) -> (u64, u64) {
        (self.first().0 + (STACK + GUARD) as u64, STACK as u64)
    }
}

impl Drop for Stacks {
    fn drop(&mut self) {
        // SAFETY: our own mapping, and nobody runs on it any more: see `Memory`.
        unsafe { libc::munmap(self.0.as_ptr(), 2 * (GUARD + STACK)) };
    }
}
