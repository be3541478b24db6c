//! The child's half: replays a program between clone and execve. It shares the parent's memory, so it reads what was
//! prepared and does nothing else: no allocation, no locks, no drop glue, no libc, nothing that could panic. That this is
//! so of all that these two entries lead to is proved of the compiled code by scripts/child.

mod files;
mod identity;

use std::os::fd::RawFd;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Acquire, Release};

use crate::clone::clone3;
use crate::kernel;
use crate::op::{Fd, Op, SLOTS};
use crate::raw::Errno;
use crate::record::Record;
use crate::script::{Script, Shared, progress};

/// The exit status of a child that could not be set up.
const NOT_SET_UP: i32 = 125;

/// An empty slot.
const FREE: RawFd = -1;

type Done = Result<(), Errno>;

/// One process while it replays its program.
struct Child<'a> {
    shared: &'a Shared,
    script: &'a Script,
    progress: &'a AtomicU32,
    /// The launched program's step that forked this process, if one did.
    forked_by: Option<u32>,
    /// What its own forks run, in order of the steps.
    forks: std::slice::Iter<'a, Script>,
    slots: [RawFd; SLOTS],
}

/// Where the launched child starts.
///
/// # Safety
/// `shared` is the address of a [`Shared`] that outlives this process's use of the memory.
pub(crate) unsafe extern "C" fn launched(shared: usize) -> ! {
    // SAFETY: the caller's promise.
    let shared = unsafe { &*(shared as *const Shared) };
    let script = &shared.script;
    Child {
        shared,
        script,
        progress: &shared.first,
        forked_by: None,
        forks: script.forks.iter(),
        slots: [FREE; SLOTS],
    }
    .run()
}

/// What a fork hands to the process it makes.
struct Forked<'a> {
    shared: &'a Shared,
    script: &'a Script,
    step: u32,
    slots: [RawFd; SLOTS],
}

/// Where a forked child starts.
///
/// # Safety
/// `forked` is the address of a [`Forked`] on the stack of the forking child, which sleeps as long as it is used.
unsafe extern "C" fn forked(forked: usize) -> ! {
    // SAFETY: the caller's promise.
    let Forked { shared, script, step, slots } = unsafe { &*(forked as *const Forked<'_>) };
    let forks = script.forks.iter();
    Child { shared, script, progress: &shared.second, forked_by: Some(*step), forks, slots: *slots }.run()
}

impl Child<'_> {
    fn run(mut self) -> ! {
        let script = self.script;
        for (number, step) in script.steps.iter().enumerate() {
            if let Err(errno) = self.step(number as u32, &step.op) {
                self.fail(number as u32, errno);
            }
        }
        self.leave(0)
    }

    /// Tells the parent and ends.
    fn fail(&self, step: u32, Errno(errno): Errno) -> ! {
        self.progress.store(progress::FAILED, Release);
        let record = match self.forked_by {
            None => Record { step, inner: None, errno },
            Some(outer) => Record { step: outer, inner: Some(step), errno },
        };
        let _ = kernel::write(self.shared.report, &record.encode());
        kernel::exit(NOT_SET_UP)
    }

    /// Ends the program on purpose.
    fn leave(&self, status: i32) -> ! {
        self.progress.store(progress::EXITED, Release);
        kernel::exit(status)
    }

    fn step(&mut self, number: u32, op: &Op) -> Done {
        match op {
            Op::Fork { sibling, .. } => self.fork(number, *sibling),
            Op::Exec { paths, .. } => {
                self.progress.store(progress::LEAVING, Release);
                Err(identity::execute(paths, &self.script.exec))
            }
            Op::ExecFd { file, .. } | Op::ExecThrough { helper: file, .. } => {
                let file = self.fd(*file)?;
                self.progress.store(progress::LEAVING, Release);
                Err(identity::execute_file(file, &self.script.exec))
            }
            Op::HoldReport => done(kernel::fcntl(self.shared.report, libc::F_SETFD, 0)),
            Op::Exit(status) => self.leave(*status),
            Op::Wait(pipe) => self.wait(*pipe),
            Op::Dup { from, to } => identity::duplicate(self.fd(*from)?, *to),
            Op::Keep { from, into } => {
                let kept = kernel::fcntl(self.fd(*from)?, libc::F_DUPFD_CLOEXEC, self.shared.floor)?;
                self.store(*into, kept)
            }
            Op::Close { slot } => {
                let file = self.fd(Fd::Slot(*slot))?;
                self.store(*slot, FREE as usize).and(done(kernel::close(file)))
            }
            Op::CloseFrom { first, but } => self.close_from(*first, but),
            Op::NewUser => done(kernel::unshare(libc::CLONE_NEWUSER)),
            Op::JoinUser(namespace) => done(kernel::setns(self.fd(*namespace)?, libc::CLONE_NEWUSER)),
            Op::JoinAll { pidfd, flags } => done(kernel::setns(self.fd(*pidfd)?, *flags)),
            other => match identity::step(other) {
                Some(result) => result,
                None => self.file_step(other),
            },
        }
    }

    /// Waits for one byte. End of file means the parent is gone or gave up: nobody to tell.
    fn wait(&self, pipe: Fd) -> Done {
        let mut byte = [0];
        match kernel::read(self.fd(pipe)?, &mut byte)? {
            0 => kernel::exit(NOT_SET_UP),
            _ => Ok(()),
        }
    }

    /// Runs the next forked program and sleeps until it has called execve or ended.
    fn fork(&mut self, step: u32, sibling: bool) -> Done {
        let Some(script) = self.forks.next() else { return Err(Errno(libc::EINVAL)) };
        let shared = self.shared;
        shared.second.store(progress::RUNNING, Release);
        shared.sibling.store(u32::from(sibling), Release);
        let forking = Forked { shared, script, step, slots: self.slots };

        // CLONE_VFORK: the new child lives on a stack and a `Forked` of ours until it has left this memory.
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID;
        let (parent, signal) = if sibling { (libc::CLONE_PARENT, 0) } else { (0, libc::SIGCHLD) };
        let (stack, stack_size) = shared.second_stack;
        let arguments = libc::clone_args {
            flags: (flags | parent) as u64,
            pidfd: 0,
            child_tid: 0,
            parent_tid: shared.second_pid.as_ptr() as u64,
            exit_signal: signal as u64,
            stack,
            stack_size,
            tls: 0,
            set_tid: 0,
            set_tid_size: 0,
            cgroup: 0,
        };
        // SAFETY: the second stack is used by one forked child at a time, as this process sleeps meanwhile; `forking`
        // lives on our stack as long.
        unsafe { clone3(&arguments, forked, &raw const forking as usize)? };
        match shared.second.load(Acquire) {
            progress::LEAVING | progress::EXITED => Ok(()),
            _ => kernel::exit(NOT_SET_UP), // its record is on the pipe, or it was killed: the parent tells them apart
        }
    }

    /// Closes what lies between those that stay open, from the lowest up.
    fn close_from(&self, mut first: RawFd, but: &[Fd]) -> Done {
        loop {
            let kept = but.iter().filter_map(|fd| self.fd(*fd).ok()).chain([self.shared.report]);
            let Some(next) = kept.filter(|number| *number >= first).min() else {
                return done(kernel::close_range(first, RawFd::MAX));
            };
            if next > first {
                kernel::close_range(first, next - 1)?;
            }
            first = next.saturating_add(1);
        }
    }

    fn fd(&self, fd: Fd) -> Result<RawFd, Errno> {
        match fd {
            Fd::Parent(number) => Ok(number),
            Fd::Cwd => Ok(libc::AT_FDCWD),
            Fd::Slot(slot) => match self.slots.get(usize::from(slot)) {
                Some(&number) if number != FREE => Ok(number),
                _ => Err(Errno(libc::EBADF)),
            },
        }
    }

    /// Puts a descriptor into a slot and closes what was there.
    fn store(&mut self, slot: u8, file: usize) -> Done {
        let Some(place) = self.slots.get_mut(usize::from(slot)) else { return Err(Errno(libc::EBADF)) };
        let before = std::mem::replace(place, file as RawFd);
        if before != FREE && file as RawFd != FREE {
            let _ = kernel::close(before);
        }
        Ok(())
    }
}

/// Forgets a call's number.
fn done(answer: Result<usize, Errno>) -> Done {
    answer.map(|_| ())
}
