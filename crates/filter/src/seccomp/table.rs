//! The system calls and groups that have a name, for this architecture; generated from `data/syscalls.table`.

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// What the default filter answers to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Allowed.
    Allow,
    /// Decided by its arguments.
    Check,
    /// EPERM.
    Forbid,
    /// ENOSYS, as if the kernel did not have it.
    Absent,
}

/// One system call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    /// `None`: only another architecture has it.
    pub(crate) number: Option<u32>,
    pub(crate) standing: Standing,
}

/// A named group of system calls.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// With its `@`.
    pub(crate) name: &'static str,
    /// Names of calls, sorted.
    pub(crate) members: &'static [&'static str],
}

impl Group {
    /// Whether this call is in it.
    pub(crate) fn holds(&self, call: &Call) -> bool {
        self.members.binary_search(&call.name).is_ok()
    }

    /// Whether the other has all that is in it.
    pub(crate) fn is_part_of(&self, other: &Group) -> bool {
        self.members.iter().all(|call| other.members.binary_search(call).is_ok())
    }
}

/// The call with this name.
pub(crate) fn call(name: &str) -> Option<&'static Call> {
    CALLS.binary_search_by_key(&name, |call| call.name).ok().map(|at| &CALLS[at])
}

/// The group with this name, which starts with `@`.
pub(crate) fn group(name: &str) -> Option<&'static Group> {
    GROUPS.binary_search_by_key(&name, |group| group.name).ok().map(|at| &GROUPS[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the C library's header, where there is one for this architecture.
    fn header() -> Vec<(String, u32)> {
        let dir = format!("/usr/include/{}-linux-gnu/asm/unistd_64.h", std::env::consts::ARCH);
        let text = std::fs::read_to_string(dir).unwrap_or_default();
        text.lines()
            .filter_map(|line| line.strip_prefix("#define __NR_")?.split_once(' '))
            .filter_map(|(name, number)| Some((name.to_owned(), number.trim().parse().ok()?)))
            .collect()
    }

    #[test]
    fn the_table_agrees_with_the_kernels_header() {
        let newest = CALLS.iter().filter_map(|call| call.number).max();
        for (name, number) in header().into_iter().filter(|(_, number)| Some(*number) <= newest) {
            assert_eq!(call(&name).and_then(|call| call.number), Some(number), "{name}");
        }
    }

    #[test]
    fn the_table_agrees_with_libc() {
        for (name, number) in [
            ("read", libc::SYS_read),
            ("openat", libc::SYS_openat),
            ("execve", libc::SYS_execve),
            ("ptrace", libc::SYS_ptrace),
            ("clone3", libc::SYS_clone3),
            ("unshare", libc::SYS_unshare),
            ("setrlimit", libc::SYS_setrlimit),
            ("prlimit64", libc::SYS_prlimit64),
            ("mount_setattr", libc::SYS_mount_setattr),
        ] {
            assert_eq!(call(name).and_then(|call| call.number).map(i64::from), Some(number), "{name}");
        }
    }

    #[test]
    fn no_number_has_two_names() {
        let mut numbers: Vec<_> = CALLS.iter().filter_map(|call| call.number).collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
    }

    #[test]
    fn groups_hold_what_firejails_hold() {
        let members = |name| group(name).unwrap().members;
        assert_eq!(members("@default").len(), 79);
        assert_eq!(members("@default-nodebuggers").len(), 82);
        assert!(members("@privileged").contains(&"finit_module"));
        assert!(members("@mount").contains(&"umount2"));
        assert_eq!(members("@swap"), ["swapoff", "swapon"]);
    }
}
