//! The last step on the way to a command: the process is ours no more, its executable is this one. See `Op::ExecThrough`.

use core::ffi::c_char;

use crate::arguments::Execution;
use crate::os::{self, EACCES, ENOENT, ENOTDIR};
use crate::protocol::REPORT_STAYS_OPEN;
use crate::raw::Errno;
use crate::record::Record;

const NOT_SET_UP: i32 = 125;

/// Executes the first of the paths that is there, and tells who launched us when none can be. The report closes with the
/// execve, which is how they know that it worked.
///
/// # Safety
/// `paths` must hold as many strings as the plan says and then the command's argument vector, which ends with null, as does
/// `environment`; each string ends with NUL.
pub(crate) unsafe fn run(
    plan: &Execution,
    paths: *const *const c_char,
    environment: *const *const c_char,
) -> ! {
    let errno = match os::close_on_exec(plan.report) {
        // SAFETY: the caller's promise.
        Ok(_) => unsafe { execute(plan.paths, paths, environment) },
        Err(_) => REPORT_STAYS_OPEN,
    };
    let Execution { step, inner, .. } = *plan;
    let _ = os::write(plan.report, &Record { step, inner, errno }.encode());
    os::exit(NOT_SET_UP)
}

/// Tries each path in turn; like execvp(3), remembers a refusal over "not there".
unsafe fn execute(count: usize, paths: *const *const c_char, environment: *const *const c_char) -> i32 {
    let mut answer = ENOENT;
    for index in 0..count {
        // SAFETY: the caller's promise.
        match unsafe { os::execute_path(*paths.add(index), paths.add(count), environment) } {
            Errno(ENOENT | ENOTDIR) => {}
            Errno(EACCES) => answer = EACCES,
            Errno(other) => return other,
        }
    }
    answer
}
