//! The fuzz targets without a fuzzer: with the corpus, and with some thousand inputs that are made from it, the same in
//! every run.

#![cfg(test)]
use std::fs;
use std::path::Path;

#[path = "../../../fuzz/properties.rs"]
#[allow(unreachable_pub)] // it is a library of its own for the fuzzer
mod properties;

/// How many inputs are made for a target.
const INPUTS: usize = 1500;

/// What parsers look for.
const WORDS: [&str; 41] = [
    ",",
    ":",
    "!",
    "@",
    "$",
    "@mount",
    "@file-system",
    "@default",
    "openat2",
    "clone3",
    "chmod",
    "socket",
    "execve",
    "write",
    "165",
    "1000",
    "-1",
    "1073741824",
    "EPERM",
    "ENOSYS",
    "kill",
    "log",
    "none",
    "all",
    "chown",
    "setfcap",
    "unix",
    "netlink",
    "unlimited",
    "g",
    "\"",
    "{",
    "}",
    "[",
    "]",
    "\"SCMP_ACT_ALLOW\"",
    "\"SCMP_ACT_ERRNO\"",
    "\"SCMP_CMP_EQ\"",
    "null",
    "+",
    "0",
];

/// The same numbers in every run: xorshift, of Marsaglia.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// A part of the input, from and to.
    fn part(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let from = self.below(input.len() + 1);
        from..from + self.below((input.len() - from).min(40) + 1)
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let part = self.part(input);
        match self.below(7) {
            0 => drop(input.drain(part)),
            1 => {
                let again = input[part.clone()].to_vec();
                input.splice(part.end..part.end, again).for_each(drop);
            }
            2 => {
                let other = &corpus[self.below(corpus.len())];
                let others = self.part(other);
                input.splice(part, other[others].to_vec()).for_each(drop);
            }
            3 => {
                let byte = self.below(256) as u8;
                if let Some(at) = input.get_mut(part.start) {
                    *at = byte;
                }
            }
            4 => {
                let word = WORDS[self.below(WORDS.len())].as_bytes();
                let end = (part.start + word.len()).min(input.len());
                input.splice(part.start..end, word.iter().copied()).for_each(drop);
            }
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                let end = if self.below(2) == 0 { part.start } else { part.end };
                input.splice(part.start..end, word.bytes()).for_each(drop);
            }
        }
    }
}

/// Runs a target with its corpus, and with inputs that are made from it.
fn exercise(name: &str, target: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!corpus.is_empty());
    for input in &corpus {
        target(input);
    }
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..INPUTS {
        let mut input = corpus[numbers.below(corpus.len())].clone();
        for _ in 0..=numbers.below(4) {
            numbers.change(&mut input, &corpus);
        }
        let result = std::panic::catch_unwind(|| target(&input));
        assert!(result.is_ok(), "{name}: {:?}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn lists_of_system_calls() {
    exercise("seccomp", properties::seccomp);
}

#[test]
fn profiles() {
    exercise("seccomp_profile", properties::seccomp_profile);
}

#[test]
fn capabilities() {
    exercise("caps", properties::caps);
}

#[test]
fn socket_families() {
    exercise("protocol", properties::protocol);
}

#[test]
fn limits() {
    exercise("rlimit", properties::rlimit);
}

#[test]
fn error_actions() {
    exercise("error_action", properties::error_action);
}

#[test]
fn stored_filters() {
    exercise("stored_filter", properties::stored_filter);
}
