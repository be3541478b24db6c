//! `Script`: a program made ready for the child, and `Shared`: everything parent and child both see while the child
//! shares our memory. Built whole before the clone, so that the child only reads it.

use std::ffi::{CString, c_char};
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU32};

use crate::helper;
use crate::op::{Fd, Op, Program, Step};
use crate::record::Record;

/// A program with the pointer tables execve(2) wants, which the child could not build without allocating.
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) exec: Vectors,
    /// The programs of its `Fork` steps, in order.
    pub(crate) forks: Vec<Script>,
}

/// argv and envp of the step that replaces the process, ended by null. They point into that step's own strings, and those
/// of the helper's command line.
#[derive(Default)]
pub(crate) struct Vectors {
    pub(crate) argv: Vec<*const c_char>,
    pub(crate) envp: Vec<*const c_char>,
    _helper: Vec<CString>,
}

/// Above standard input, output and error.
const FIRST: RawFd = 3;

impl Script {
    /// The program of a launched child, which begins with closing what it does not name and tells failures by `report`.
    pub(crate) fn launched(mut program: Program, report: RawFd) -> Self {
        let mut but: Vec<Fd> = program.steps.iter().flat_map(|step| step.op.named()).collect();
        but.retain(|fd| matches!(fd, Fd::Parent(FIRST..)));
        let close = Op::CloseFrom { first: FIRST, but };
        program.steps.insert(0, Step::new("namespace", "inherited descriptors", close));
        Script::new(program, report, None)
    }

    /// The program that step `outer` of the launched one forks, or the launched one.
    fn new(program: Program, report: RawFd, outer: Option<u32>) -> Self {
        let mut steps = program.steps;
        let mut script = Script { steps: Vec::new(), exec: Vectors::default(), forks: Vec::new() };
        for (number, step) in (0..).zip(&mut steps) {
            match &mut step.op {
                Op::Exec { argv, envp, .. } | Op::ExecFd { argv, envp, .. } => {
                    script.exec = Vectors { argv: table(&*argv), envp: table(&*envp), _helper: Vec::new() };
                }
                Op::ExecThrough { paths, argv, envp, .. } => {
                    let here = outer.map_or((number, None), |outer| (outer, Some(number)));
                    let helper = helper::exec_arguments(report, here, paths.len());
                    let all = helper.iter().chain(&*paths).chain(&*argv);
                    script.exec = Vectors { argv: table(all), envp: table(&*envp), _helper: helper };
                }
                Op::Fork { program, .. } => {
                    script.forks.push(Script::new(std::mem::take(program), report, Some(number)));
                }
                _ => {}
            }
        }
        script.steps = steps;
        script
    }

    /// The steps that were done, in order, those of a fork before the fork itself: all, or those up to the one that a
    /// record says failed.
    pub(crate) fn done(&self, record: Option<Record>) -> Vec<&Step> {
        let end = record.map_or(self.steps.len(), |record| record.step as usize);
        let mut forks = self.forks.iter();
        let mut done = Vec::new();
        for (number, step) in self.steps.iter().enumerate().take(end + 1) {
            let fork = if matches!(step.op, Op::Fork { .. }) { forks.next() } else { None };
            let inner = record.filter(|_| number == end).and_then(|record| record.inner);
            match fork {
                Some(fork) if number < end => done.extend(fork.done(None)),
                Some(fork) if inner.is_some() => {
                    done.extend(fork.done(inner.map(|step| Record { step, inner: None, errno: 0 })));
                }
                _ => {}
            }
            if number < end {
                done.push(step);
            }
        }
        done
    }

    /// The step that a record names.
    pub(crate) fn step(&self, step: u32, inner: Option<u32>) -> Option<&Step> {
        let Some(inner) = inner else { return self.steps.get(step as usize) };
        let is_fork = |step: &&Step| matches!(step.op, Op::Fork { .. });
        let nth = self.steps.get(..step as usize)?.iter().filter(is_fork).count();
        self.forks.get(nth)?.step(inner, None)
    }
}

fn table<'a>(strings: impl IntoIterator<Item = &'a CString>) -> Vec<*const c_char> {
    strings.into_iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// How many processes run a program at once: itself, and what it forks.
pub(crate) fn depth(program: &Program) -> usize {
    let forks = program.steps.iter().map(|step| match &step.op {
        Op::Fork { program, .. } => depth(program),
        _ => 0,
    });
    1 + forks.max().unwrap_or(0)
}

/// The highest descriptor number that the steps of a program claim. One that stays where it is claims nothing.
pub(crate) fn highest_claimed(program: &Program) -> RawFd {
    let claims = program.steps.iter().map(|step| match &step.op {
        Op::Dup { from, to } if *from != Fd::Parent(*to) => *to,
        Op::Fork { program, .. } => highest_claimed(program),
        _ => -1,
    });
    claims.max().unwrap_or(-1)
}

/// How far a process got.
pub(crate) mod progress {
    /// It runs its program.
    pub(crate) const RUNNING: u32 = 0;
    /// It is about to call execve, or has.
    pub(crate) const LEAVING: u32 = 1;
    /// It ended its program on purpose, without execve.
    pub(crate) const EXITED: u32 = 2;
    /// A step failed, and a record says which.
    pub(crate) const FAILED: u32 = 3;
}

/// What parent, child and forked child share.
pub(crate) struct Shared {
    pub(crate) script: Script,
    /// The write end of the report pipe, the same number in every process.
    pub(crate) report: RawFd,
    /// Descriptors that must survive `Dup` live at this number or above.
    pub(crate) floor: RawFd,
    /// The forked child's stack: lowest address and length.
    pub(crate) second_stack: (u64, u64),
    /// [`progress`] of the launched child.
    pub(crate) first: AtomicU32,
    /// [`progress`] of the child it forked last.
    pub(crate) second: AtomicU32,
    /// The pid of that child as the launched child sees it; the kernel writes it at the clone.
    pub(crate) second_pid: AtomicI32,
    /// Whether that child is a sibling of the launched one, thus ours to reap.
    pub(crate) sibling: AtomicU32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fork(steps: Vec<Step>) -> Step {
        Step::new("command", "fork", Op::Fork { program: Box::new(Program { steps }), sibling: false })
    }

    #[test]
    fn a_failing_step_is_found_in_the_program_that_held_it() {
        let leaf = |name: &str| Step::new("command", name, Op::SetSid);
        let program = Program {
            steps: vec![leaf("a"), fork(vec![leaf("b")]), leaf("c"), fork(vec![leaf("d"), leaf("e")])],
        };
        assert_eq!(depth(&program), 2);
        let script = Script::new(program, -1, None);
        let named = |step, inner| script.step(step, inner).map(|step| step.object.as_str());
        assert_eq!(named(2, None), Some("c"));
        assert_eq!(named(1, Some(0)), Some("b"));
        assert_eq!(named(3, Some(1)), Some("e"));
        assert_eq!(named(3, Some(2)), None);
    }

    #[test]
    fn what_was_done_before_a_step_failed_is_known() {
        let leaf = |name: &str| Step::new("command", name, Op::SetSid);
        let steps = vec![leaf("a"), fork(vec![leaf("b"), leaf("c")]), leaf("d"), leaf("e")];
        let script = Script::new(Program { steps }, -1, None);
        let done = |failed: Option<(u32, Option<u32>)>| {
            let record = failed.map(|(step, inner)| Record { step, inner, errno: 1 });
            script.done(record).iter().map(|step| step.object.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(done(None), "a b c fork d e");
        assert_eq!(done(Some((3, None))), "a b c fork d");
        assert_eq!(done(Some((1, Some(1)))), "a b");
        assert_eq!(done(Some((1, None))), "a");
        assert_eq!(done(Some((0, None))), "");
    }
}
