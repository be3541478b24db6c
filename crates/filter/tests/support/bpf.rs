//! A small interpreter of seccomp's BPF, and what the kernel checks of a program before it takes it. See
//! seccomp_check_filter and bpf_check_classic in the kernel's sources.

/// `AUDIT_ARCH_*` of the architecture this is built for, of `linux/audit.h`.
#[cfg(target_arch = "x86_64")]
pub(crate) const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
pub(crate) const NATIVE: u32 = 0xc000_00b7;

/// `AUDIT_ARCH_I386`.
pub(crate) const I386: u32 = 0x4000_0003;

/// `struct seccomp_data` as 32-bit words.
pub(crate) fn data(architecture: u32, number: u32, arguments: [u64; 6]) -> [u32; 16] {
    let mut words = [0; 16];
    words[..2].copy_from_slice(&[number, architecture]);
    for (i, argument) in arguments.into_iter().enumerate() {
        words[4 + 2 * i] = argument as u32;
        words[5 + 2 * i] = (argument >> 32) as u32;
    }
    words
}

/// Code, both distances and operand of an instruction.
fn decode(instruction: u64) -> (u32, u8, u8, u32) {
    let [c0, c1, jt, jf, k @ ..] = instruction.to_ne_bytes();
    (u32::from(u16::from_ne_bytes([c0, c1])), jt, jf, u32::from_ne_bytes(k))
}

/// What the program answers, and how many instructions that took.
pub(crate) fn run(program: &[u64], data: &[u32; 16]) -> (u32, usize) {
    let (mut at, mut a, mut count) = (0, 0u32, 0);
    loop {
        let (code, jt, jf, k) = decode(program[at]);
        count += 1;
        at += 1;
        let mut branch = |taken: bool| at += usize::from(if taken { jt } else { jf });
        match code {
            0x20 => a = data[k as usize / 4],
            0x54 => a &= k,
            0x05 => at += k as usize,
            0x15 => branch(a == k),
            0x25 => branch(a > k),
            0x35 => branch(a >= k),
            0x06 => return (k, count),
            _ => panic!("instruction {code:#x}"),
        }
    }
}

/// Why the kernel would not take the program.
pub(crate) fn check(program: &[u64]) -> Result<(), String> {
    if !(1..=4096).contains(&program.len()) {
        return Err(format!("{} instructions", program.len()));
    }
    for (at, instruction) in program.iter().enumerate() {
        let (code, jt, jf, k) = decode(*instruction);
        let lands = |distance: usize| at + 1 + distance < program.len();
        let sound = match code {
            0x20 => k % 4 == 0 && k < 64,
            0x54 | 0x06 => true,
            0x05 => lands(k as usize),
            0x15 | 0x25 | 0x35 => lands(jt.into()) && lands(jf.into()),
            _ => false,
        };
        if !sound {
            return Err(format!("instruction {at}: {code:#x} {jt} {jf} {k:#x}"));
        }
    }
    match program.last().map(|last| decode(*last).0) {
        Some(0x06) => Ok(()),
        _ => Err("it does not end with an answer".to_owned()),
    }
}
