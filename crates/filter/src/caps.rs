//! Capabilities: their names and numbers, and which a jail may keep.

use std::fmt;

use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

/// Where the kernel looks for a capability when it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// In the jail's own user namespace (too).
    Inside,
    /// Only in the host's user namespace, or in the one that owns a namespace of the jail's, which is the host's.
    OnHost,
    /// Inside, and it would let the jail plant something on the host through a writable grant.
    Plants,
}

use Counts::{Inside, OnHost, Plants};

/// Name and reach of each capability, by number. See capabilities(7).
const TABLE: [(&str, Counts); 41] = [
    ("chown", Inside),
    ("dac_override", Inside),
    ("dac_read_search", Inside),
    ("fowner", Inside),
    ("fsetid", Plants),
    ("kill", Inside),
    ("setgid", Inside),
    ("setuid", Inside),
    ("setpcap", Inside),
    ("linux_immutable", OnHost),
    ("net_bind_service", OnHost),
    ("net_broadcast", OnHost),
    ("net_admin", OnHost),
    ("net_raw", OnHost),
    ("ipc_lock", OnHost),
    ("ipc_owner", OnHost),
    ("sys_module", OnHost),
    ("sys_rawio", OnHost),
    ("sys_chroot", Inside),
    ("sys_ptrace", Inside),
    ("sys_pacct", OnHost),
    ("sys_admin", OnHost),
    ("sys_boot", OnHost),
    ("sys_nice", Inside),
    ("sys_resource", OnHost),
    ("sys_time", OnHost),
    ("sys_tty_config", OnHost),
    ("mknod", OnHost),
    ("lease", OnHost),
    ("audit_write", OnHost),
    ("audit_control", OnHost),
    ("setfcap", Plants),
    ("mac_override", OnHost),
    ("mac_admin", OnHost),
    ("syslog", OnHost),
    ("wake_alarm", OnHost),
    ("block_suspend", OnHost),
    ("audit_read", OnHost),
    ("perfmon", OnHost),
    ("bpf", OnHost),
    ("checkpoint_restore", OnHost),
];

/// A set of capabilities; bit n is capability n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Caps(u64);

impl Default for Caps {
    /// What servers that start as root and drop to another user need. Ports below 1024 need none: the jail's network
    /// namespace has no privileged ports.
    fn default() -> Self {
        Caps::of(&["chown", "dac_override", "fowner", "kill", "setgid", "setuid"])
    }
}

impl Caps {
    /// The empty set.
    pub const NONE: Caps = Caps(0);

    /// The set as the kernel's bit mask.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The names, in the order of their numbers.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.entries().map(|(name, _)| name)
    }

    fn entries(self) -> impl Iterator<Item = (&'static str, Counts)> {
        TABLE.into_iter().enumerate().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, entry)| entry)
    }

    fn of(names: &[&str]) -> Self {
        let bits = TABLE.iter().enumerate().filter(|(_, (name, _))| names.contains(name));
        Caps(bits.fold(0, |set, (bit, _)| set | 1 << bit))
    }

    /// Whether a jail in its own user namespace can keep these.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for one that would count for nothing, [`Kind::Denied`] for one that reaches the host.
    pub(crate) fn check(self) -> Result<(), Failure> {
        for (name, counts) in self.entries() {
            let object = format!("--caps.keep={name}");
            let (kind, why) = match counts {
                Inside => continue,
                OnHost => (
                    Kind::Unsupported,
                    "counts only in the host's user namespace, and the jail is in its own: keeping it would do nothing",
                ),
                Plants => (
                    Kind::Denied,
                    "is never kept: with it the jail could leave a privileged program in a directory of the host's",
                ),
            };
            return Err(Failure::new(
                kind,
                "filter",
                "capabilities",
                &*object,
                format!("{object}: {name} {why}"),
            )
            .hint("take it off the list"));
        }
        Ok(())
    }
}

impl fmt::Display for Caps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Caps::NONE {
            return f.write_str("none");
        }
        f.write_str(&self.names().collect::<Vec<_>>().join(", "))
    }
}

impl From<Caps> for Vec<String> {
    fn from(caps: Caps) -> Vec<String> {
        caps.names().map(str::to_owned).collect()
    }
}

impl TryFrom<Vec<String>> for Caps {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let unknown = names.iter().find(|name| TABLE.iter().all(|(known, _)| known != name));
        match unknown {
            Some(name) => Err(format!("there is no capability {name}")),
            None => Ok(Caps::of(&names.iter().map(String::as_str).collect::<Vec<_>>())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(names: &[&str]) -> Caps {
        Caps::try_from(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn numbers_are_the_kernels() {
        assert_eq!(caps(&["chown"]).bits(), 1);
        assert_eq!(caps(&["sys_admin"]).bits(), 1 << 21);
        assert_eq!(caps(&["checkpoint_restore"]).bits(), 1 << 40);
    }

    #[test]
    fn the_default_can_be_kept_and_holds_nothing_that_reaches_the_host() {
        assert_eq!(Caps::default().to_string(), "chown, dac_override, fowner, kill, setgid, setuid");
        assert_eq!(Caps::default().bits(), 0b1110_1011);
        Caps::default().check().unwrap();
    }

    #[test]
    fn what_counts_only_on_the_host_is_refused_by_name() {
        let failure = caps(&["chown", "net_admin"]).check().unwrap_err();
        assert_eq!(failure.object, "--caps.keep=net_admin");
        assert_eq!(failure.kind, Kind::Unsupported);
    }

    #[test]
    fn what_plants_privileged_programs_is_never_kept() {
        for name in ["setfcap", "fsetid"] {
            assert_eq!(caps(&[name]).check().unwrap_err().kind, Kind::Denied, "{name}");
        }
    }
}
