//! Launching a child: clone3 with shared memory, an own stack and no signals, and what became of its program.

mod dumpable;
mod explain;
mod stacks;

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Acquire;
use std::sync::atomic::{AtomicI32, AtomicU32};
use std::sync::{Mutex, PoisonError};

use crate::Failure;
use crate::call::process;
use crate::clone::clone3;
use crate::op::{Program, Step};
use crate::raw::Errno;
use crate::record::{LENGTH, Record};
use crate::script::{self, Script, Shared, progress};
use crate::{interpret, kernel};
use stacks::Stacks;

/// Processes that may run on our stacks at once: the launched one, and one that it forks.
const DEPTH: usize = 2;

/// Standard descriptors and the few that programs place by number stay below this.
const LOWEST_KEPT: RawFd = 10;

/// One start at a time makes its pipe and clones, so that no other child inherits a report pipe's write end and holds
/// back its end of file.
static STARTING: Mutex<()> = Mutex::new(());

/// A child that runs its program, and the memory it shares with us.
///
/// Dropping it kills the child and what it forked, and waits until they are gone.
#[derive(Debug)]
pub struct Launched {
    pid: i32,
    pidfd: OwnedFd,
    report: PipeReader,
    memory: Memory,
    /// Whether the child has a pid namespace of its own, which dies with it.
    own_pids: bool,
    decided: bool,
}

/// What came of a program that ran to its end.
#[derive(Debug)]
pub struct Started {
    /// The child, as seen from here. Gone and reaped if its program ended with [`crate::op::Op::Exit`].
    pub pid: i32,
    /// The child.
    pub pidfd: OwnedFd,
    /// The process it forked last, as the child's pid namespace sees it.
    pub second: Option<i32>,
}

/// Clones a child with these `CLONE_NEW*` namespaces that runs `program`.
///
/// It may be called from any thread of a program with many; the child does not depend on the thread that made it. Of our
/// descriptors it keeps the standard ones and those that `program` names, and no other even for a moment longer than it
/// takes to close them: the ends of other threads' pipes, other jails' lifelines and locks. Until
/// [`Launched::outcome`] the child shares our memory, and this process may lose its dumpable flag meanwhile: it gets it
/// back. See clone(2).
///
/// # Errors
/// What clone3(2), mmap(2) or pipe(2) answer; `EINVAL` for a program whose forks fork.
pub fn launch(program: Program, namespaces: i32) -> Result<Launched, Failure> {
    let fail = |operation, error: &io::Error| Failure::call("namespace", operation, "jail", error);
    if script::depth(&program) > DEPTH {
        return Err(fail("clone3", &io::Error::from_raw_os_error(libc::EINVAL)));
    }
    let floor = LOWEST_KEPT.max(script::highest_claimed(&program) + 1);
    let stacks = Stacks::new().map_err(|error| fail("mmap", &error))?;
    let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let (report, write_end) = report_pipe(floor).map_err(|error| fail("pipe2", &error))?;
    let memory = Memory::new(
        Shared {
            script: Script::launched(program, write_end.as_raw_fd()),
            report: write_end.as_raw_fd(),
            floor,
            second_stack: stacks.second(),
            first: AtomicU32::new(progress::RUNNING),
            second: AtomicU32::new(progress::RUNNING),
            second_pid: AtomicI32::new(0),
            sibling: AtomicU32::new(0),
        },
        stacks,
    );
    let (pid, pidfd) =
        clone(&memory, namespaces).map_err(|errno| explain::clone_failed(errno, namespaces))?;
    let own_pids = namespaces & libc::CLONE_NEWPID != 0;
    Ok(Launched { pid, pidfd, report, memory, own_pids, decided: false })
}

/// A pipe whose write end keeps clear of the numbers the program claims.
fn report_pipe(floor: RawFd) -> io::Result<(PipeReader, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    let moved = process::answer(kernel::fcntl(writer.as_raw_fd(), libc::F_DUPFD_CLOEXEC, floor))?;
    // SAFETY: fcntl just made this descriptor and nobody else knows it.
    Ok((reader, unsafe { OwnedFd::from_raw_fd(moved as RawFd) }))
}

fn clone(memory: &Memory, namespaces: i32) -> Result<(i32, OwnedFd), Errno> {
    const CLEAR_SIGHAND: u64 = 1 << 32;
    let mut pidfd: RawFd = -1;
    let (stack, stack_size) = memory.stacks.first();
    let shared_memory = (libc::CLONE_VM | libc::CLONE_PIDFD) as u64;
    let arguments = libc::clone_args {
        flags: shared_memory | CLEAR_SIGHAND | u64::from(namespaces as u32),
        pidfd: &raw mut pidfd as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD as u64,
        stack,
        stack_size,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: 0,
    };
    // A handler of ours must never run in the child: it would find our memory and none of our threads.
    let mask = kernel::set_signal_mask(u64::MAX)?;
    // SAFETY: stack and shared block belong to `memory`, which is freed only when nobody runs in it any more; the
    // interpreter keeps the rules of the child.
    let pid = unsafe { clone3(&arguments, interpret::launched, memory.shared.as_ptr() as usize) };
    let _ = kernel::set_signal_mask(mask);
    // SAFETY: the kernel stored a new descriptor there, as the clone succeeded.
    Ok((pid? as i32, unsafe { OwnedFd::from_raw_fd(pidfd) }))
}

impl Launched {
    /// The child's pid, seen from here.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The child.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Becomes readable, with data or end of file, when it is decided how the program ends: for poll(2).
    pub fn report(&self) -> BorrowedFd<'_> {
        self.report.as_fd()
    }

    /// Waits until every process of the program has called execve or ended, and tells what came of it.
    ///
    /// # Errors
    /// The step that failed. The child is gone and reaped then.
    pub fn outcome(self) -> Result<Started, Failure> {
        self.outcome_told(None)
    }

    /// The same, and tells every step that was done: the child itself can say nothing.
    ///
    /// # Errors
    /// As [`Launched::outcome`].
    pub fn outcome_told(mut self, told: Option<&mut dyn FnMut(&Step)>) -> Result<Started, Failure> {
        let record = self.read_report();
        self.decided = true;
        let shared = self.memory.shared();
        let second = Some(shared.second_pid.load(Acquire)).filter(|pid| *pid != 0);
        let progress = shared.first.load(Acquire);
        let complete = record.is_none()
            && (progress == progress::EXITED || progress == progress::LEAVING)
            && (second.is_none() || shared.second.load(Acquire) != progress::RUNNING);
        if let Some(told) = told.filter(|_| complete || record.is_some()) {
            shared.script.done(record).into_iter().for_each(told);
        }
        if !complete {
            self.reap();
            return Err(explain::failed(&shared.script, record));
        }
        if progress == progress::EXITED {
            let _ = process::wait(self.pidfd.as_fd());
        }
        let pidfd = self.pidfd.try_clone().map_err(|error| {
            self.reap();
            Failure::call("namespace", "fcntl", "jail", &error)
        })?;
        Ok(Started { pid: self.pid, pidfd, second })
    }

    /// Reads up to the end of file, which comes when nobody shares our memory any more.
    fn read_report(&mut self) -> Option<Record> {
        let mut record = None;
        let mut bytes = [0; LENGTH];
        while let Ok(()) = self.report.read_exact(&mut bytes) {
            record = record.or(Some(Record::decode(bytes)));
        }
        record
    }

    /// Kills what is left of the child and its fork, and waits for both.
    fn reap(&self) {
        // A child's number is its own until it is waited for; and where a filter hid pidfd_send_signal(2) we would wait for ever.
        let _ = kernel::kill(self.pid, libc::SIGKILL);
        let _ = process::wait(self.pidfd.as_fd());
        let shared = self.memory.shared();
        let second = shared.second_pid.load(Acquire);
        let sibling = shared.sibling.load(Acquire) != 0;
        // A sibling is ours to wait for; another is alive as long as it runs in our memory. So the number is its own.
        let number_is_good = sibling || shared.second.load(Acquire) == progress::RUNNING;
        if second != 0
            && !self.own_pids
            && number_is_good
            && let Ok(pidfd) = process::open(second)
        {
            let _ = process::send_signal(pidfd.as_fd(), libc::SIGKILL);
            if sibling {
                let _ = process::wait(pidfd.as_fd());
            }
        }
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        if !self.decided {
            self.reap();
            self.read_report();
        }
    }
}

/// The memory of one start. Whoever drops it knows that nobody else uses it.
#[derive(Debug)]
struct Memory {
    shared: NonNull<Shared>,
    stacks: Stacks,
    _dumpable: dumpable::Kept,
}

// SAFETY: `Shared` is read-only but for its atomics, and owned by this value alone on our side.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    fn new(shared: Shared, stacks: Stacks) -> Self {
        let shared = NonNull::from(Box::leak(Box::new(shared)));
        Memory { shared, stacks, _dumpable: dumpable::Kept::new() }
    }

    fn shared(&self) -> &Shared {
        // SAFETY: made in `new`, freed in `drop`.
        unsafe { self.shared.as_ref() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: made by `Box::leak` in `new`, and this is the only place that takes it back.
        drop(unsafe { Box::from_raw(self.shared.as_ptr()) });
    }
}
