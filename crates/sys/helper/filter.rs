//! What the jail's first process may still ask the kernel once it waits. Anything else kills it, and the jail with it.

use crate::os::{Instruction, nr};

/// The calls of its loop.
const ALLOWED: [usize; 6] = [nr::READ, nr::PPOLL, nr::WAITID, nr::KILL, nr::RESTART, nr::EXIT_GROUP];

const LENGTH: usize = ALLOWED.len() + 6;

const fn instruction(code: u16, if_true: u8, if_false: u8, operand: u32) -> Instruction {
    Instruction { code, if_true, if_false, operand }
}

/// The seccomp program: one comparison for each allowed call.
pub(crate) static FILTER: [Instruction; LENGTH] = {
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
    while index < ALLOWED.len() {
        let to_allow = (ALLOWED.len() - index) as u8;
        program[4 + index] = instruction(EQUAL, to_allow, 0, ALLOWED[index] as u32);
        index += 1;
    }
    program[LENGTH - 1] = instruction(RETURN, 0, 0, ALLOW);
    program
};
