//! clone3(2) of a child that shares this memory and starts in a function of ours on a stack of its own.

use std::arch::asm;

use crate::raw::Answer;

/// What the child runs; it never returns.
pub(crate) type Entry = unsafe extern "C" fn(usize) -> !;

/// Makes a child that calls `entry(argument)` on the stack named in `arguments`, and answers its pid.
///
/// # Safety
/// `arguments` must name a stack that nobody else uses until the child has called execve or is gone, and `argument` must
/// be what `entry` expects and stay valid as long. `entry` must not allocate, take a lock or touch thread-local storage.
pub(crate) unsafe fn clone3(arguments: &libc::clone_args, entry: Entry, argument: usize) -> Answer {
    let answer: isize;
    // SAFETY: the parent's side is a plain system call. The child arrives with the same registers and an empty stack,
    // aligned by us, and leaves through `entry`, which does not return.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "and rsp, -16",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 as isize => answer,
            in("rdi") arguments, in("rsi") size_of::<libc::clone_args>(),
            in("r12") argument, in("r13") entry, lateout("rcx") _, lateout("r11") _);
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x30, xzr",
            "mov x0, x20",
            "blr x21",
            "brk 1",
            "2:",
            in("x8") libc::SYS_clone3,
            inlateout("x0") arguments => answer, in("x1") size_of::<libc::clone_args>(),
            in("x20") argument, in("x21") entry);
    }
    if answer < 0 { Err(crate::raw::Errno(-answer as i32)) } else { Ok(answer as usize) }
}
