//! Reads a library's ELF header before the loader does: what is not for this machine or not whole gets a sentence of
//! its own, and a truncated file cannot end this program with SIGBUS. See elf(5).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use jail_sys::{Failure, Kind};

use super::refuse::refuse;

const HEADER: usize = 64;
const SEGMENT: usize = 56;
const SHARED_OBJECT: u16 = 3;
const LOADED: u32 = 1;

/// Sees that `file` is a whole shared library for the machine this program is for.
///
/// # Errors
/// [`Kind::Invalid`] for what is no library, [`Kind::Unsupported`] for one of another machine.
pub(super) fn check(file: &File, path: &Path) -> Result<(), Failure> {
    let called = |error: io::Error| Failure::call("network", "read", path.display().to_string(), &error);
    let mut own = [0; HEADER];
    File::open("/proc/self/exe").and_then(|exe| exe.read_exact_at(&mut own, 0)).map_err(called)?;

    let size = file.metadata().map_err(called)?.len();
    let mut header = [0; HEADER];
    let begin = HEADER.min(usize::try_from(size).unwrap_or(HEADER));
    file.read_exact_at(&mut header[..begin], 0).map_err(called)?;
    if !header.starts_with(b"\x7fELF") {
        return Err(refuse(Kind::Invalid, path, "is not a shared library"));
    }
    let cut =
        || refuse(Kind::Invalid, path, "is not whole: it ends too early").hint("install or build it again");
    if begin < HEADER {
        return Err(cut());
    }
    if machine(&header) != machine(&own) || header[4..6] != own[4..6] {
        let reason = format!("is built for {}, this program for {}", target(&header), target(&own));
        return Err(refuse(Kind::Unsupported, path, reason).hint("use a plugin built for this machine"));
    }
    if u16_at(&header, 16) != SHARED_OBJECT {
        return Err(refuse(Kind::Invalid, path, "is a program or an object file, not a shared library"));
    }
    if !whole(file, &header, size).map_err(called)? {
        return Err(cut());
    }
    Ok(())
}

/// Whether the file holds every segment that will be mapped, and its section table, which linkers write last.
fn whole(file: &File, header: &[u8], size: u64) -> io::Result<bool> {
    let ends = |start: u64, length: u64| start.checked_add(length).is_some_and(|end| end <= size);
    let (sections, section) = (u16_at(header, 60), u16_at(header, 58));
    let (segments, segment) = (u16_at(header, 56), u16_at(header, 54));
    let table = usize::from(segments) * SEGMENT;
    if !ends(u64_at(header, 40), u64::from(sections) * u64::from(section))
        || usize::from(segment) != SEGMENT
        || !ends(u64_at(header, 32), table as u64)
    {
        return Ok(false);
    }
    let mut entries = vec![0; table];
    file.read_exact_at(&mut entries, u64_at(header, 32))?;
    Ok(entries
        .chunks_exact(SEGMENT)
        .filter(|entry| u32_at(entry, 0) == LOADED)
        .all(|entry| ends(u64_at(entry, 8), u64_at(entry, 32))))
}

fn machine(header: &[u8]) -> u16 {
    u16_at(header, 18)
}

/// The machine of a header in words: `x86-64`, `arm (32 bits)`.
fn target(header: &[u8]) -> String {
    let (narrow, big) = (header[4] == 1, header[5] == 2);
    let number =
        if big == cfg!(target_endian = "big") { machine(header) } else { machine(header).swap_bytes() };
    let name = match number {
        3 => "i386",
        21 => "powerpc64",
        22 => "s390x",
        40 => "arm",
        62 => "x86-64",
        183 => "aarch64",
        243 => "riscv",
        258 => "loongarch",
        other => &format!("machine {other}"),
    };
    format!("{name}{}{}", if narrow { " (32 bits)" } else { "" }, if big { " (big-endian)" } else { "" })
}

// The header is in this machine's byte order, or `check` has refused it.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].try_into().map_or(0, u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].try_into().map_or(0, u64::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn verdict(bytes: &[u8]) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        check(&file, Path::new("/p/libjail_x.so")).map_or_else(|failure| failure.message, |()| "fine".into())
    }

    fn own() -> Vec<u8> {
        std::fs::read("/proc/self/exe").unwrap() // position-independent: a shared object to elf(5)
    }

    #[test]
    fn a_whole_library_of_this_machine_is_fine() {
        assert_eq!(verdict(&own()), "fine");
    }

    #[test]
    fn what_is_no_library_is_named() {
        assert_eq!(verdict(b""), "/p/libjail_x.so is not a shared library");
        assert_eq!(verdict(b"#!/bin/sh\n"), "/p/libjail_x.so is not a shared library");
        let mut program = own();
        program[16] = 2;
        assert_eq!(verdict(&program), "/p/libjail_x.so is a program or an object file, not a shared library");
    }

    #[test]
    fn a_file_cut_short_anywhere_is_not_whole() {
        let bytes = own();
        for length in [4, 17, 63, 64, 100, 4096, bytes.len() / 2, bytes.len() - 1] {
            assert_eq!(
                verdict(&bytes[..length]),
                "/p/libjail_x.so is not whole: it ends too early",
                "{length}"
            );
        }
    }

    #[test]
    fn offsets_beyond_every_file_are_not_whole() {
        let mut bytes = own();
        bytes[32..40].fill(0xff);
        assert_eq!(verdict(&bytes), "/p/libjail_x.so is not whole: it ends too early");
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_library_of_another_machine_says_which() {
        let mut arm = own();
        arm[18] = 183;
        assert_eq!(verdict(&arm), "/p/libjail_x.so is built for aarch64, this program for x86-64");
        let mut old = own();
        (old[4], old[18]) = (1, 3);
        assert_eq!(verdict(&old), "/p/libjail_x.so is built for i386 (32 bits), this program for x86-64");
        let mut big = own();
        (big[5], big[18], big[19]) = (2, 0, 22);
        assert_eq!(verdict(&big), "/p/libjail_x.so is built for s390x (big-endian), this program for x86-64");
    }
}
