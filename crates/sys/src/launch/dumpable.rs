//! Our own dumpable flag while children share our memory: a child that changes its ids or enters a user namespace
//! clears it for all of us, and it must stay off until the last such child has left (who could attach to it, could
//! attach to us). See prctl(2), `PR_SET_DUMPABLE`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::kernel;

struct Starts {
    under_way: usize,
    was: usize,
}

static STARTS: Mutex<Starts> = Mutex::new(Starts { under_way: 0, was: 0 });

fn starts() -> MutexGuard<'static, Starts> {
    STARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One start that is under way; the last to go puts the flag back to what the first found.
#[derive(Debug)]
pub(super) struct Kept(());

impl Kept {
    pub(super) fn new() -> Self {
        let mut starts = starts();
        if starts.under_way == 0 {
            starts.was = kernel::prctl(libc::PR_GET_DUMPABLE, 0, 0).unwrap_or(0);
        }
        starts.under_way += 1;
        Kept(())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut starts = starts();
        starts.under_way -= 1;
        if starts.under_way == 0 && starts.was == 1 {
            let _ = kernel::prctl(libc::PR_SET_DUMPABLE, starts.was, 0);
        }
    }
}
