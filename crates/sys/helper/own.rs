//! Descriptors that do not block, without a change that other programs would see: `O_NONBLOCK` belongs to the open file
//! description, and the user's standard descriptors share theirs with the shell and whoever else is in the pipeline.

use crate::{os, terminal};

const RDONLY: usize = 0;
const WRONLY: usize = 1;
const STDERR: i32 = 2;

/// A descriptor to read `file` by.
pub(crate) fn source(file: i32) -> i32 {
    own(file, RDONLY)
}

/// A descriptor to write to `file` by.
pub(crate) fn target(file: i32) -> i32 {
    own(file, WRONLY)
}

/// Those above the standard ones were made for us alone. A standard one is opened anew if it is a pipe or a terminal.
/// Anything else, or what may not be opened, is used as it is: after a poll says so, it blocks only if another
/// program is faster to read or to fill it.
fn own(file: i32, access: usize) -> i32 {
    if file > STDERR {
        os::set_nonblocking(file);
        return file;
    }
    let path = match file {
        0 => c"/proc/self/fd/0",
        1 => c"/proc/self/fd/1",
        _ => c"/proc/self/fd/2",
    };
    if os::is_pipe(file) || terminal::is_terminal(file) {
        return os::open_nonblocking(path, access).unwrap_or(file);
    }
    file
}
