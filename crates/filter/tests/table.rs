//! `data/syscalls.table` against the kernel that runs here.
//!
//! A kernel does not tell its table. It tells the names of its entry points (/proc/kallsyms, with or without addresses),
//! and answers ENOSYS to a number that it has not. Only calls are made that can do nothing: as nobody, with -1 for every
//! argument, and of the table only those whose first argument is a descriptor, an address, or a number that must be small.

#![cfg(test)]
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use libc::ENOSYS;

#[path = "support/probe.rs"]
mod probe;

use probe::PROBE;

/// The kernel that the table was written after.
const WRITTEN_AFTER: (u32, u32) = (6, 19);

/// The groups whose calls do nothing with -1 for every argument.
const HARMLESS: [&str; 4] = ["@basic-io", "@file-system", "@io-event", "@network-io"];

/// Entry points by another name than their call's.
#[cfg(target_arch = "x86_64")]
const RENAMED: [(&str, &str); 8] = [
    ("newfstat", "fstat"),
    ("newlstat", "lstat"),
    ("newstat", "stat"),
    ("newuname", "uname"),
    ("sendfile64", "sendfile"),
    ("umount", "umount2"),
    ("fstatfs64", "fstatfs"),
    ("statfs64", "statfs"),
];

/// What entry points of other ABIs and architectures have in their names.
#[cfg(target_arch = "x86_64")]
const FOREIGN: [&str; 11] =
    ["16", "time32", "ia32_", "old", "s390_", "pciconfig_", "spu_", "vm86", "64_64", "stime", ".cold"];

/// Those that have nothing in common.
#[cfg(target_arch = "x86_64")]
const OTHERS: [&str; 23] = [
    "ni_syscall",
    "clock_adjtime32",
    "clock_gettime32",
    "clock_settime32",
    "gethostname",
    "ipc",
    "llseek",
    "mmap_pgoff",
    "nice",
    "recv",
    "rtas",
    "send",
    "sgetmask",
    "signal",
    "sigpending",
    "sigprocmask",
    "sigsuspend",
    "socketcall",
    "ssetmask",
    "subpage_prot",
    "sync_file_range2",
    "waitpid",
    "timer_gettime32",
];

/// Numbers by name, and groups, for the architecture this is built for.
fn table() -> (BTreeMap<String, u32>, BTreeMap<String, Vec<String>>) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/data/syscalls.table");
    let text = fs::read_to_string(file).unwrap();
    let (calls, groups) = text.split_once("\n[groups]\n").unwrap();
    let column = if cfg!(target_arch = "x86_64") { 1 } else { 2 };
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let calls = calls.lines().filter(|line| !line.starts_with(['#', '['])).map(words);
    let numbers = calls.filter_map(|words| Some((words.first()?.clone(), words.get(column)?.parse().ok()?)));
    let (mut lists, mut name) = (BTreeMap::<String, Vec<String>>::new(), String::new());
    for line in groups.lines() {
        let members = line.split_once(" = ").map_or(line, |(head, members)| {
            head.clone_into(&mut name);
            members
        });
        lists.entry(name.clone()).or_default().extend(words(members));
    }
    (numbers.collect(), lists)
}

/// The names of the kernel's entry points; empty where it does not tell them.
fn entry_points() -> BTreeSet<String> {
    let prefix = if cfg!(target_arch = "x86_64") { "__x64_sys_" } else { "__arm64_sys_" };
    let text = fs::read_to_string("/proc/kallsyms").unwrap_or_default();
    let names = text.lines().filter_map(|line| line.split_whitespace().nth(2)?.strip_prefix(prefix));
    names.map(str::to_owned).collect()
}

/// Whether the table was written after all that this kernel can have.
fn kernel_is_no_newer() -> bool {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = text.split(|sign: char| !sign.is_ascii_digit()).map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap()) <= WRITTEN_AFTER
}

/// What the kernel answers to these numbers, asked by nobody with -1 for every argument.
fn ask(numbers: &[u32]) -> BTreeMap<u32, i32> {
    let words = numbers.iter().map(u32::to_string);
    let output = Command::new(&*PROBE).arg("numbers").args(words).current_dir("/").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let answers = text.lines().filter_map(|line| line.split_once('='));
    let answers: BTreeMap<u32, i32> =
        answers.map(|(number, errno)| (number.parse().unwrap(), errno.parse().unwrap())).collect();
    assert_eq!(answers.len(), numbers.len(), "{text}");
    answers
}

#[test]
fn the_kernel_has_the_calls_of_the_table_under_their_numbers() {
    let (numbers, groups) = table();
    let has = entry_points();
    let obsolete = &groups["@obsolete"];
    let harmless = HARMLESS.iter().flat_map(|group| &groups[*group]);
    let asked: BTreeMap<u32, &String> = harmless
        .filter(|name| !obsolete.contains(name))
        // What came later than the oldest kernel that jail runs on may be missing, unless this one says it has it.
        .filter(|name| has.contains(*name) || numbers.get(*name).is_some_and(|number| *number <= 448))
        .filter_map(|name| Some((*numbers.get(name)?, name)))
        .collect();
    assert!(asked.len() > 90, "{asked:?}");
    for (number, errno) in ask(&asked.keys().copied().collect::<Vec<_>>()) {
        assert_ne!(errno, ENOSYS, "{} is not {number}", asked[&number]);
    }
}

#[test]
fn the_kernel_has_no_number_that_the_table_has_not() {
    let numbers: BTreeSet<u32> = table().0.into_values().collect();
    let newest = *numbers.last().unwrap();
    // A newer kernel may have what is not in the table yet; what it does with -1 is not known here, so it is not asked.
    let end = if kernel_is_no_newer() { 1024 } else { newest };
    let unknown: Vec<u32> = (0..end).filter(|number| !numbers.contains(number)).collect();
    assert!(unknown.len() > 80);
    for (number, errno) in ask(&unknown) {
        assert_eq!(errno, ENOSYS, "{number} is missing in the table");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_kernel_has_no_call_that_the_table_has_no_name_for() {
    let numbers = table().0;
    let known = |name: &str| {
        let renamed = RENAMED.iter().find(|(entry, _)| *entry == name).map_or(name, |(_, call)| call);
        numbers.contains_key(renamed)
    };
    let foreign = |name: &str| FOREIGN.iter().any(|part| name.contains(part)) || OTHERS.contains(&name);
    if !kernel_is_no_newer() {
        return;
    }
    let missing: Vec<_> = entry_points().into_iter().filter(|name| !known(name) && !foreign(name)).collect();
    assert!(missing.is_empty(), "not in data/syscalls.table: {missing:?}");
}
