//! Resource limits. See getrlimit(2).

use serde::{Deserialize, Serialize};

/// A resource that can be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Resource {
    /// Size of a core file, in bytes.
    Core,
}

/// A limit and its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rlimit {
    /// What is limited.
    pub resource: Resource,
    /// What the kernel enforces.
    pub soft: u64,
    /// What the jail may raise `soft` to.
    pub hard: u64,
}

impl Rlimit {
    /// No core dumps. 1 rather than 0: where the host's `core_pattern` is a pipe, 0 still starts the program behind
    /// it, as root on the host and fed by the jail; 1 is the value that keeps the kernel from it. See core(5).
    pub const NO_CORE: Rlimit = Rlimit { resource: Resource::Core, soft: 1, hard: 1 };
}

impl Resource {
    /// The name in options and plans.
    pub fn name(self) -> &'static str {
        match self {
            Resource::Core => "core",
        }
    }

    /// The `RLIMIT_*` number.
    pub(crate) fn number(self) -> u32 {
        match self {
            Resource::Core => libc::RLIMIT_CORE,
        }
    }
}
