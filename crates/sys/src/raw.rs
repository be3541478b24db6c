//! Raw system calls: one instruction, no errno, no thread-local storage, so that a child that shares the memory of a
//! multithreaded program may make them. Shared with the helper binary, which has no libc at all.

use core::arch::asm;

/// A number of errno(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) i32);

/// What a system call answers.
pub(crate) type Answer = Result<usize, Errno>;

/// Makes system call `number`.
///
/// # Safety
/// Every argument that the kernel takes as an address must be valid for what this call does with it.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) unsafe fn call(number: usize, arguments: [usize; 6]) -> Answer {
    let [a, b, c, d, e, f] = arguments;
    let answer: isize;
    // SAFETY: the kernel preserves all registers but rax, rcx and r11; what memory it touches is the caller's promise.
    unsafe {
        asm!("syscall", inlateout("rax") number => answer, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, in("r9") f, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    read(answer)
}

/// Makes system call `number`.
///
/// # Safety
/// Every argument that the kernel takes as an address must be valid for what this call does with it.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(crate) unsafe fn call(number: usize, arguments: [usize; 6]) -> Answer {
    let [a, b, c, d, e, f] = arguments;
    let answer: isize;
    // SAFETY: the kernel preserves all registers but x0; what memory it touches is the caller's promise.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a => answer, in("x1") b, in("x2") c, in("x3") d,
            in("x4") e, in("x5") f, options(nostack));
    }
    read(answer)
}

/// The kernel answers -4095 to -1 for an error.
#[inline(always)]
fn read(answer: isize) -> Answer {
    if (-4095..0).contains(&answer) { Err(Errno(-answer as i32)) } else { Ok(answer as usize) }
}
