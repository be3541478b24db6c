//! Landlock, a second wall behind the mounts: a right that a mount gives by mistake, or cannot take away, is not there
//! all the same. See landlock(7).
//!
//! What is shown may be read and executed. It may be written to only where the plan of the mounts says so, no device is
//! made, and those of `/dev` alone are asked for what devices do. So a FIFO of the host's in a tree that is shown
//! read-only cannot be written to, which no mount prevents, nor a socket there connected to where the kernel has that
//! right. Where the network is the host's, so are its abstract sockets: they are out of reach. A jail without a family of
//! the Internet's neither binds nor connects a socket of theirs that it is handed.
//!
//! What it is not used for: connections in a network of the jail's own, since only the firewall knows neighbours from
//! strangers, and a port is no address; signals, for a joined command is to reach the servers, and nobody else is there.
//!
//! A joined command is behind a wall of its own with the same rules. The kernel lets neither look into the other as a
//! debugger would: /proc/PID/exe, fd and environ of processes that were there before are closed to it.

use std::ffi::CString;

use jail_sys::op::{Op, Ruleset, Step};
use jail_sys::{Failure, Kind, call};
use landlock::{ABI, Access, AccessFs, AccessNet, BitFlags, Scope};
use serde::{Deserialize, Serialize};

const STAGE: &str = "filter";

/// What the wall lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LandlockSpec {
    /// Where the jail may write.
    pub writable: Vec<Writable>,
    /// Descriptors that it is given beside standard input, output and error, whose files it may open anew.
    pub files: Vec<OpenFile>,
    /// Whether its network is the host's.
    pub hosts_network: bool,
}

/// A descriptor that a jail is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenFile {
    /// Its number.
    pub number: i32,
    /// Whether it is open for writing.
    pub writable: bool,
}

/// Standard input, output and error.
const STANDARD: [OpenFile; 3] = [
    OpenFile { number: 0, writable: false },
    OpenFile { number: 1, writable: true },
    OpenFile { number: 2, writable: true },
];

/// A place that may be written to, with all that is below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writable {
    /// Its absolute path inside.
    pub path: String,
    /// Is it a file rather than a directory?
    pub file: bool,
}

/// How much of the wall this kernel builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforced {
    /// All of it.
    Fully,
    /// All but what is told beside it.
    Partially,
    /// Nothing.
    Not,
}

/// The wall, decided for one kernel. A stored one gives the same rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandlockPlan {
    /// The ABI that is used; 0 is none.
    pub abi: u32,
    /// How much of it there is.
    pub enforced: Enforced,
    /// What is not, a few words each.
    pub missing: Vec<String>,
    /// What it lets through.
    pub allowed: LandlockSpec,
    /// Whether sockets of the Internet's families are neither bound nor connected.
    pub no_internet: bool,
}

/// What each ABI brought that the wall is made of, and the kernel that brought it.
const BROUGHT: [(u32, &str); 6] = [
    (2, "anything at all (Linux 5.19; before, it would keep files from being moved between directories)"),
    (3, "truncating files (Linux 6.2)"),
    (4, "TCP (Linux 6.7)"),
    (5, "what devices are asked (Linux 6.10)"),
    (6, "abstract sockets (Linux 6.12)"),
    (9, "connecting to sockets in what is shown (a later Linux than 6.18)"),
];

/// The lowest ABI that is used, and the highest that is known.
const LOWEST: u32 = 2;
const HIGHEST: u32 = 10;

impl LandlockPlan {
    /// The wall that the running kernel builds.
    pub(crate) fn new(allowed: &LandlockSpec, no_internet: bool) -> Self {
        LandlockPlan::at(call::landlock::abi(), allowed, no_internet)
    }

    /// The wall by this ABI.
    fn at(abi: u32, allowed: &LandlockSpec, no_internet: bool) -> Self {
        let abi = if abi < LOWEST { 0 } else { abi.min(HIGHEST) };
        let missing = BROUGHT.iter().filter(|(since, _)| *since > abi.max(1));
        let missing: Vec<_> = missing.map(|(_, what)| (*what).to_owned()).collect();
        let (enforced, missing) = match (abi, missing.is_empty()) {
            (0, _) => (Enforced::Not, missing.into_iter().take(1).collect()),
            (_, true) => (Enforced::Fully, missing),
            (_, false) => (Enforced::Partially, missing),
        };
        LandlockPlan { abi, enforced, missing, allowed: allowed.clone(), no_internet }
    }

    /// Whether a FIFO in what is shown read-only cannot be written to.
    pub fn closes_fifos(&self) -> bool {
        self.enforced != Enforced::Not
    }

    /// Whether a socket in what is shown read-only cannot be connected to.
    pub fn closes_sockets(&self) -> bool {
        AccessFs::from_all(self.kernels()).contains(AccessFs::ResolveUnix)
    }

    /// The ABI as the library names it.
    fn kernels(&self) -> ABI {
        i32::try_from(self.abi).map_or(ABI::Unsupported, ABI::from)
    }

    /// What is said of it in one line.
    pub fn line(&self) -> String {
        let missing = self.missing.join("; ");
        match self.enforced {
            Enforced::Fully => format!("landlock: ABI {}, behind the mounts", self.abi),
            Enforced::Partially => {
                format!("landlock: ABI {}, behind the mounts, but not for: {missing}", self.abi)
            }
            Enforced::Not => format!("landlock: not enforced, this kernel does not have it for: {missing}"),
        }
    }

    /// The step; none where the kernel has no wall to build.
    pub(crate) fn step(&self) -> Result<Option<Step>, Failure> {
        if self.enforced == Enforced::Not {
            return Ok(None);
        }
        let op = Op::Landlock(self.ruleset()?);
        let hint =
            "this kernel answers for Landlock in two ways: a filter on system calls around jail may hide it";
        Ok(Some(Step::new(STAGE, "landlock", op).hint(hint)))
    }

    fn ruleset(&self) -> Result<Ruleset, Failure> {
        let abi = self.kernels();
        let handled = AccessFs::from_all(abi);
        let devices = AccessFs::MakeChar | AccessFs::MakeBlock;
        let write = handled & !devices & !AccessFs::IoctlDev;
        let mut paths = vec![rule("/", AccessFs::from_read(abi))?];
        for Writable { path, file } in &self.allowed.writable {
            let access = match (path.as_str(), file) {
                ("/dev", _) => handled & !devices,
                (_, true) => write & AccessFs::from_file(abi),
                (_, false) => write,
            };
            paths.push(rule(path, access)?);
        }
        // Opened anew, a descriptor gives no more than it does.
        let reopened = |file: &OpenFile| {
            let access = if file.writable { AccessFs::from_file(abi) } else { AccessFs::ReadFile.into() };
            (file.number, access.bits())
        };
        Ok(Ruleset {
            fs: handled.bits(),
            net: if self.no_internet { AccessNet::from_all(abi).bits() } else { 0 },
            scoped: if self.allowed.hosts_network { self.scope(abi) } else { 0 },
            paths,
            files: STANDARD.iter().chain(&self.allowed.files).map(reopened).collect(),
        })
    }

    /// Of what can be scoped, not signals.
    fn scope(&self, abi: ABI) -> u64 {
        (Scope::from_all(abi) & Scope::AbstractUnixSocket).bits()
    }
}

fn rule(path: &str, access: BitFlags<AccessFs>) -> Result<(CString, u64), Failure> {
    let path = CString::new(path).map_err(|_| {
        let message = format!("{path:?} has a zero byte in it");
        Failure::new(Kind::Invalid, STAGE, "plan", path, message)
    })?;
    Ok((path, access.bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> LandlockSpec {
        let place = |path: &str, file| Writable { path: path.to_owned(), file };
        LandlockSpec {
            writable: vec![place("/tmp", false), place("/dev", false), place("/srv/file", true)],
            files: vec![OpenFile { number: 7, writable: false }],
            hosts_network: true,
        }
    }

    fn access(ruleset: &Ruleset, path: &str) -> BitFlags<AccessFs> {
        let (_, access) =
            ruleset.paths.iter().find(|(known, _)| known.to_bytes() == path.as_bytes()).unwrap();
        BitFlags::from_bits(*access).unwrap()
    }

    #[test]
    fn writing_is_for_writable_places_and_devices_for_dev() {
        for abi in 2..=HIGHEST {
            let ruleset = LandlockPlan::at(abi, &spec(), false).ruleset().unwrap();
            assert!(!access(&ruleset, "/").contains(AccessFs::WriteFile));
            assert!(access(&ruleset, "/tmp").contains(AccessFs::WriteFile | AccessFs::Refer));
            for path in ["/", "/tmp", "/dev"] {
                assert!(
                    !access(&ruleset, path).intersects(AccessFs::MakeChar | AccessFs::MakeBlock),
                    "{path}"
                );
            }
            let asked = access(&ruleset, "/dev").contains(AccessFs::IoctlDev);
            assert_eq!(asked, abi >= 5);
            assert!(!access(&ruleset, "/tmp").contains(AccessFs::IoctlDev));
            assert!(!access(&ruleset, "/srv/file").intersects(AccessFs::ReadDir | AccessFs::MakeReg));
            assert_eq!(ruleset.files.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2, 7]);
        }
    }

    #[test]
    fn what_a_kernel_does_not_have_is_told() {
        let at = |abi| LandlockPlan::at(abi, &spec(), true);
        for none in [0, 1] {
            assert_eq!((at(none).enforced, at(none).missing.len()), (Enforced::Not, 1));
            assert!(at(none).step().unwrap().is_none() && !at(none).closes_fifos());
        }
        assert_eq!(at(7).enforced, Enforced::Partially);
        assert!(at(7).line().contains("ABI 7") && at(7).line().contains("sockets in what is shown"));
        assert!(at(7).closes_fifos() && !at(7).closes_sockets());
        assert_eq!((at(9).enforced, at(9).closes_sockets()), (Enforced::Fully, true));
        assert_eq!(at(99).abi, HIGHEST);
    }

    #[test]
    fn the_network_and_abstract_sockets_are_out_of_reach_where_they_are_the_hosts_or_nobodys() {
        let ruleset = |abi, no_internet, hosts_network| {
            LandlockPlan::at(abi, &LandlockSpec { hosts_network, ..spec() }, no_internet).ruleset().unwrap()
        };
        assert_eq!((ruleset(7, false, false).net, ruleset(7, false, false).scoped), (0, 0));
        assert_eq!(ruleset(3, true, true).net, 0);
        assert_eq!(ruleset(4, true, true).net, 0b11);
        assert_eq!(ruleset(10, true, true).net, 0b1111);
        assert_eq!(ruleset(7, true, true).scoped, 1, "signals are not");
    }

    #[test]
    fn a_stored_plan_gives_the_same_step() {
        let plan = LandlockPlan::at(7, &spec(), true);
        let again: LandlockPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(again.ruleset().unwrap(), plan.ruleset().unwrap());
    }
}
