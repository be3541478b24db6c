//! What the filter answers to one system call number: always the same, or by its arguments.

use seccompiler::SeccompCondition;

use super::compile::LONGEST;

/// An answer of the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The call runs.
    Allow,
    /// The call does not run and fails with this errno.
    Errno(i32),
    /// The call runs and is logged.
    Log,
    /// The call does not run, and the thread gets a SIGSYS that it may handle.
    Trap,
    /// The thread ends as if by SIGSYS.
    KillThread,
    /// The process ends with SIGSYS.
    Kill,
}

impl Answer {
    /// The `SECCOMP_RET_*` value. See seccomp(2).
    pub(crate) fn value(self) -> u32 {
        match self {
            Answer::Allow => libc::SECCOMP_RET_ALLOW,
            Answer::Errno(errno) => libc::SECCOMP_RET_ERRNO | (errno.unsigned_abs() & libc::SECCOMP_RET_DATA),
            Answer::Log => libc::SECCOMP_RET_LOG,
            Answer::Trap => libc::SECCOMP_RET_TRAP,
            Answer::KillThread => libc::SECCOMP_RET_KILL_THREAD,
            Answer::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        }
    }

    /// Whether the call runs.
    pub(crate) fn runs(self) -> bool {
        matches!(self, Answer::Allow | Answer::Log)
    }

    /// How much it refuses. As the kernel ranks the answers of several filters, but that a call which is passed off as
    /// done (errno 0) gives way to one that is refused.
    pub(crate) fn strictness(self) -> u8 {
        match self {
            Answer::Allow => 0,
            Answer::Log => 1,
            Answer::Errno(0) => 2,
            Answer::Errno(_) => 3,
            Answer::Trap => 4,
            Answer::KillThread => 5,
            Answer::Kill => 6,
        }
    }

    /// The stricter of two; this one where neither is.
    fn or_stricter(self, other: Answer) -> Answer {
        if other.strictness() > self.strictness() { other } else { self }
    }
}

/// One case of a call that is decided by its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// Conditions that must all hold.
    pub(crate) conditions: Vec<SeccompCondition>,
    /// The answer then.
    pub(crate) answer: Answer,
}

/// The first case that holds decides, else `otherwise`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) cases: Vec<Case>,
    pub(crate) otherwise: Answer,
}

impl Verdict {
    /// The same answer whatever the arguments are.
    pub(crate) fn always(answer: Answer) -> Self {
        Verdict { cases: Vec::new(), otherwise: answer }
    }

    /// The same with one answer in the place of another.
    pub(crate) fn with(mut self, before: Answer, after: Answer) -> Self {
        let answers = self.cases.iter_mut().map(|case| &mut case.answer).chain([&mut self.otherwise]);
        answers.filter(|answer| **answer == before).for_each(|answer| *answer = after);
        self
    }

    /// Whether the call runs with some arguments at least.
    pub(crate) fn lets_through(&self) -> bool {
        self.cases.iter().any(|case| case.answer.runs()) || self.otherwise.runs()
    }

    /// The cases in the order of what they refuse, so that of two that hold the stricter counts.
    pub(crate) fn strictest_first(mut self) -> Self {
        self.cases.sort_by_key(|case| std::cmp::Reverse(case.answer.strictness()));
        self
    }

    /// The stricter answer of the two for all arguments, as if both were asked; this one's where neither is. `None` when
    /// that would have more cases than a filter can hold.
    pub(crate) fn and(&self, other: &Verdict) -> Option<Self> {
        if (self.cases.len() + 1) * (other.cases.len() + 1) > LONGEST {
            return None;
        }
        let otherwise = self.otherwise.or_stricter(other.otherwise);
        let mut cases = Vec::new();
        for (conditions, answer) in self.branches() {
            for (others, other) in other.branches() {
                let conditions = [conditions, others].concat();
                cases.push(Case { conditions, answer: answer.or_stricter(other) });
            }
        }
        cases.pop(); // where neither has a condition that holds: `otherwise`
        if cases.iter().all(|case| case.answer == otherwise) {
            cases.clear();
        }
        Some(Verdict { cases, otherwise })
    }

    /// The cases, and what is left when none of them holds.
    fn branches(&self) -> impl Iterator<Item = (&[SeccompCondition], Answer)> {
        let cases = self.cases.iter().map(|case| (case.conditions.as_slice(), case.answer));
        cases.chain([(&[][..], self.otherwise)])
    }
}
