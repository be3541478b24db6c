//! Capabilities: their names and numbers, and which a jail may keep.

use std::fmt;

use jail_sys::{Failure, Kind, nearest};
use serde::{Deserialize, Serialize};

use crate::seccomp::short;

/// Where the kernel looks for a capability when it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// In the jail's own user namespace (too).
    Inside,
    /// Only in the host's user namespace, or in the one that owns a namespace of the jail's, which is the host's.
    OnHost,
    /// Only for a system call that the filter refuses to whoever has it.
    Refused(&'static str),
    /// Inside, and it would let the jail plant something on the host through a writable grant.
    Plants,
}

use Counts::{Inside, OnHost, Plants, Refused};

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
    ("sys_module", Refused("init_module")),
    ("sys_rawio", Refused("iopl")),
    ("sys_chroot", Inside),
    ("sys_ptrace", Inside),
    ("sys_pacct", Refused("acct")),
    ("sys_admin", Refused("mount")),
    ("sys_boot", Refused("reboot")),
    ("sys_nice", Inside),
    ("sys_resource", OnHost),
    ("sys_time", Refused("clock_settime")),
    ("sys_tty_config", OnHost),
    ("mknod", Refused("mknod")),
    ("lease", OnHost),
    ("audit_write", OnHost),
    ("audit_control", OnHost),
    ("setfcap", Plants),
    ("mac_override", OnHost),
    ("mac_admin", OnHost),
    ("syslog", Refused("syslog")),
    ("wake_alarm", OnHost),
    ("block_suspend", OnHost),
    ("audit_read", OnHost),
    ("perfmon", Refused("perf_event_open")),
    ("bpf", Refused("bpf")),
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

    pub(crate) fn of(names: &[&str]) -> Self {
        let bits = TABLE.iter().enumerate().filter(|(_, (name, _))| names.contains(name));
        Caps(bits.fold(0, |set, (bit, _)| set | 1 << bit))
    }

    /// The one with this name, which is the kernel's with its prefix: `CAP_CHOWN`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.strip_prefix("CAP_")?.to_lowercase();
        TABLE.iter().position(|(known, _)| *known == name).map(|bit| Caps(1 << bit))
    }

    /// All there are.
    pub fn all() -> Self {
        Caps((1 << TABLE.len()) - 1)
    }

    /// Those of these that are not among the others.
    pub(crate) fn without(self, others: Caps) -> Self {
        Caps(self.0 & !others.0)
    }

    /// Reads names separated by commas, as `option` takes them; the kernel's own prefix `CAP_` may stand before them.
    ///
    /// # Errors
    /// [`Kind::Usage`], naming the one that is unknown and what it may have been meant to be.
    pub(crate) fn read(option: &str, text: &str) -> Result<Self, Failure> {
        let mut caps = Caps::NONE;
        for word in text.split(',') {
            let lower = word.to_lowercase();
            let name = lower.strip_prefix("cap_").unwrap_or(&lower);
            let bit = TABLE.iter().position(|(known, _)| *known == name);
            caps.0 |= 1 << bit.ok_or_else(|| unknown(option, text, name))?;
        }
        Ok(caps)
    }

    /// Whether a jail can keep these: one in its own user namespace, or in the host's (`on_host`).
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for one that would count for nothing, [`Kind::Denied`] for one that reaches the host.
    pub(crate) fn check(self, on_host: bool) -> Result<(), Failure> {
        for (name, counts) in self.entries() {
            let elsewhere = "counts only in the host's user namespace, and the jail is in its own: keeping it would do nothing";
            let (kind, why, hint) = match counts {
                Inside => continue,
                OnHost if on_host => continue,
                OnHost => {
                    let hint = "take it off the list, or give up the jail's own with --userns=host";
                    (Kind::Unsupported, elsewhere.to_owned(), hint)
                }
                Refused(call) if on_host => {
                    let why = format!("is for {call}, which the filter refuses to everybody");
                    (Kind::Unsupported, why, "take it off the list")
                }
                Refused(_) => (Kind::Unsupported, elsewhere.to_owned(), "take it off the list"),
                Plants => {
                    let why = "is never kept: with it the jail could leave a privileged program in a directory of the host's";
                    (Kind::Denied, why.to_owned(), "take it off the list")
                }
            };
            let object = format!("--caps.keep={name}");
            let message = format!("{object}: {name} {why}");
            return Err(Failure::new(kind, "filter", "capabilities", object, message).hint(hint));
        }
        Ok(())
    }
}

fn unknown(option: &str, text: &str, name: &str) -> Failure {
    let (object, name) = (short(&format!("{option}={text}")), &*short(name));
    let usage = |message: String| Failure::new(Kind::Usage, "filter", "parse", &*object, message);
    if name.is_empty() {
        return usage(format!("{object}: there is an empty name in the list"))
            .hint("names are separated by single commas, like chown,setuid");
    }
    if name == "all" {
        return usage(format!("{object}: all stands alone, and only in --caps.drop=all"))
            .hint("name those that are needed");
    }
    let failure = usage(format!("{object}: there is no capability {name}"));
    match nearest(name, TABLE.iter().map(|(known, _)| *known)) {
        Some(nearest) => failure.hint(format!("did you mean {nearest}?")),
        None => failure.hint("capabilities(7) has their names, and jail plan shows those that a jail keeps"),
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
    use crate::seccomp::{self, Standing};

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
        Caps::default().check(false).unwrap();
    }

    #[test]
    fn what_counts_only_on_the_host_is_refused_by_name() {
        let failure = caps(&["chown", "net_admin"]).check(false).unwrap_err();
        assert_eq!(failure.object, "--caps.keep=net_admin");
        assert_eq!(failure.kind, Kind::Unsupported);
        caps(&["chown", "net_admin"]).check(true).unwrap();
    }

    #[test]
    fn what_the_filter_refuses_anyhow_is_refused_by_name() {
        for (name, counts) in TABLE {
            let Refused(call) = counts else { continue };
            assert!(seccomp::call(call).is_none_or(|call| call.standing != Standing::Allow), "{call}");
            assert!(caps(&[name]).check(true).unwrap_err().message.contains(call), "{name}");
        }
    }

    #[test]
    fn names_are_the_kernels_with_or_without_its_prefix() {
        let read = |text| Caps::read("--caps.keep", text);
        assert_eq!(read("chown,CAP_SYS_ADMIN").unwrap(), caps(&["chown", "sys_admin"]));
        for (wrong, why) in [
            ("", "empty name"),
            ("chown,", "empty name"),
            ("all", "--caps.drop=all"),
            ("net_amdin", "did you mean net_admin?"),
        ] {
            let failure = read(wrong).unwrap_err();
            assert!(failure.to_string().contains(why), "{failure}");
            assert_eq!(failure.kind, Kind::Usage);
        }
    }

    #[test]
    fn what_plants_privileged_programs_is_never_kept() {
        for name in ["setfcap", "fsetid"] {
            assert_eq!(caps(&[name]).check(true).unwrap_err().kind, Kind::Denied, "{name}");
        }
    }
}
