//! The helper: one static program without libc, so that what waits beside a jail takes a few pages. `init` is the jail's
//! first process, `supervise` the host's side, `exec` a step on the way to a command. Started only by the library, which builds its arguments.
#![no_std]
#![no_main]
#![deny(clippy::undocumented_unsafe_blocks)]

mod arguments;
mod exec;
mod filter;
mod init;
mod memory;
mod os;
mod own;
mod protocol;
#[path = "../src/raw.rs"]
mod raw;
#[allow(dead_code)] // the library reads what is written here
#[path = "../src/record.rs"]
mod record;
mod relay;
mod supervise;
mod terminal;

use core::ffi::{CStr, c_char};

const USAGE: i32 = 2;

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".globl _start", "_start:", "xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {main}", "ud2",
    main = sym main
);

#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".globl _start", "_start:", "mov x29, xzr", "mov x30, xzr", "mov x0, sp", "bl {main}", "brk 1",
    main = sym main
);

/// What the kernel leaves on the stack: argc, argv, null, envp, null.
unsafe extern "C" fn main(stack: *mut usize) -> ! {
    // SAFETY: the kernel's layout, see execve(2) and the psABI.
    let (argc, argv) = unsafe { (*stack, stack.add(1).cast::<*const c_char>()) };
    // SAFETY: there are argc pointers to strings that end with NUL.
    let argument =
        |index: usize| (index < argc).then(|| unsafe { CStr::from_ptr(*argv.add(index)) }.to_bytes());

    if argument(1) == Some(protocol::INIT)
        && let Some(payload) = argument(2).and_then(arguments::number)
    {
        os::exit(init::run(payload));
    }
    if argument(1) == Some(protocol::EXEC)
        && let Some(plan) = arguments::execution((2..argc).filter_map(argument))
    {
        // SAFETY: the paths come after the arguments that were used, the command's own after them, up to the null at
        // argv[argc]. The environment follows that null.
        unsafe { exec::run(&plan, argv.add(2 + plan.used), argv.add(argc + 1)) }
    }
    if argument(1) == Some(protocol::SUPERVISE)
        && let Some(plan) = arguments::supervision((2..argc).filter_map(argument))
    {
        // SAFETY: the arguments after those that were used, up to the null at argv[argc]; two came before them. The
        // environment follows that null.
        unsafe { supervise::run(&plan, argv.add(2 + plan.used), argv.add(argc + 1)) }
    }
    os::exit(USAGE)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    os::exit(125)
}
