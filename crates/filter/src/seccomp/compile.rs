//! From a policy to BPF: a binary search over ranges of numbers, whose leaves answer or look at the arguments.
//!
//! The conditions on arguments are seccompiler's. Its own layout of a whole filter tries one number after the other
//! and has one answer beside "allow": for our table that is three stacked filters of 2,100 instructions, which cost a
//! start 1.1 ms (the kernel walks them for each number when it is installed) and an openat 0.7 us. The search has a
//! fifth of the instructions, is installed in an eighth of the time, and costs an openat 0.1 us: a permitted call nine or ten comparisons, however long
//! the user's list or profile is.

use libc::{BPF_ABS, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};
use seccompiler::{BackendError, BpfProgram, SeccompRule, sock_filter};

use super::policy::Policy;
use super::verdict::{Answer, Verdict};

/// Offsets in `struct seccomp_data`. See seccomp(2).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// `AUDIT_ARCH_*` of the architecture this is built for, of `linux/audit.h`.
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;

/// How many instructions the kernel takes: `BPF_MAXINSNS`. See seccomp(2).
pub(crate) const LONGEST: usize = 4096;

/// Compiles a policy into one BPF program.
///
/// # Errors
/// A condition that cannot be compiled.
pub(crate) fn compile(policy: Policy) -> Result<BpfProgram, BackendError> {
    let mut ranges: Vec<(u32, Verdict)> = Vec::with_capacity(policy.from.len());
    for (first, verdict) in policy.from {
        if ranges.last().is_none_or(|(_, before)| *before != verdict) {
            ranges.push((first, verdict));
        }
    }
    let mut program = vec![
        statement(BPF_LD | BPF_W | BPF_ABS, ARCHITECTURE),
        jump(BPF_JEQ, NATIVE, 1, 0),
        answer(Answer::Kill),
        statement(BPF_LD | BPF_W | BPF_ABS, NUMBER),
    ];
    program.extend(search(&ranges)?);
    Ok(program)
}

/// The binary search over these ranges.
fn search(ranges: &[(u32, Verdict)]) -> Result<BpfProgram, BackendError> {
    let (below, above) = match ranges {
        [] => return Ok(Vec::new()),
        [(_, verdict)] => return leaf(verdict),
        _ => ranges.split_at(ranges.len() / 2),
    };
    let first = above[0].0;
    let (below, above) = (search(below)?, search(above)?);
    let mut program = match u8::try_from(below.len()) {
        Ok(distance) => vec![jump(BPF_JGE, first, distance, 0)],
        // A conditional jump reaches 255 instructions, the other kind all of them.
        Err(_) => vec![jump(BPF_JGE, first, 0, 1), statement(BPF_JMP | BPF_JA, below.len() as u32)],
    };
    program.extend(below);
    program.extend(above);
    Ok(program)
}

fn leaf(verdict: &Verdict) -> Result<BpfProgram, BackendError> {
    let mut program = BpfProgram::new();
    for case in &verdict.cases {
        // A rule falls through when it holds, and jumps over one instruction behind it when it does not.
        program.extend(BpfProgram::from(SeccompRule::new(case.conditions.clone())?));
        program.push(answer(case.answer));
    }
    program.push(answer(verdict.otherwise));
    Ok(program)
}

fn answer(answer: Answer) -> sock_filter {
    statement(BPF_RET | BPF_K, answer.value())
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

fn jump(test: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: (BPF_JMP | test | BPF_K) as u16, jt, jf, k }
}
