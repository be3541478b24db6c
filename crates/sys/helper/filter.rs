//! What those that wait may still ask the kernel. Anything else kills them: the jail's first process and the jail with it,
//! or its supervisor, which is the jail's end as well.

use crate::os::{Instruction, nr};

/// The first process: the calls of its loop.
const INIT: [usize; 6] = [nr::READ, nr::PPOLL, nr::WAITID, nr::KILL, nr::RESTART, nr::EXIT_GROUP];

/// A supervisor that executes nothing at the end: the calls of its loop, and those by which it removes files.
const SUPERVISOR: [usize; 11] = [
    nr::READ,
    nr::WRITE,
    nr::PPOLL,
    nr::IOCTL,
    nr::CLOSE,
    nr::WAITID,
    nr::PIDFD_SEND_SIGNAL,
    nr::GETPGID,
    nr::RESTART,
    nr::UNLINKAT,
    nr::EXIT_GROUP,
];

/// Instructions beside the comparisons.
const FRAME: usize = 6;

pub(crate) static OF_INIT: [Instruction; FRAME + INIT.len()] = program(&INIT);

pub(crate) static OF_SUPERVISOR: [Instruction; FRAME + SUPERVISOR.len()] = program(&SUPERVISOR);

const fn instruction(code: u16, if_true: u8, if_false: u8, operand: u32) -> Instruction {
    Instruction { code, if_true, if_false, operand }
}

/// The seccomp program: one comparison for each allowed call.
const fn program<const LENGTH: usize>(allowed: &[usize]) -> [Instruction; LENGTH] {
    const LOAD: u16 = 0x20;
    const EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const KILL: u32 = 0x8000_0000;
    const ALLOW: u32 = 0x7fff_0000;
    const NUMBER: u32 = 0;
    const ARCHITECTURE: u32 = 4;
    let mut program = [const { instruction(RETURN, 0, 0, KILL) }; LENGTH];
    program[0] = instruction(LOAD, 0, 0, ARCHITECTURE);
    program[1] = instruction(EQUAL, 1, 0, nr::ARCHITECTURE);
    program[3] = instruction(LOAD, 0, 0, NUMBER);
    let mut index = 0;
    while index < allowed.len() {
        let to_allow = (allowed.len() - index) as u8;
        program[4 + index] = instruction(EQUAL, to_allow, 0, allowed[index] as u32);
        index += 1;
    }
    program[LENGTH - 1] = instruction(RETURN, 0, 0, ALLOW);
    program
}
