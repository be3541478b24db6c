//! `CapsSpec`: which capabilities a jail keeps, as it was asked for.

use jail_sys::Failure;
use serde::{Deserialize, Serialize};

use crate::caps::Caps;

/// Capabilities to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapsSpec {
    /// What servers need that start as root and drop to another user; nothing for a command that runs as another user.
    #[default]
    Default,
    /// Exactly these: `--caps.keep=`.
    Keep(Caps),
    /// The default without these: `--caps.drop=`.
    Drop(Caps),
}

impl CapsSpec {
    /// Reads what follows `--caps.keep=`.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`] for a name that is unknown.
    pub fn keep(text: &str) -> Result<Self, Failure> {
        Caps::read("--caps.keep", text).map(CapsSpec::Keep)
    }

    /// Reads what follows `--caps.drop=`: names, or `all`.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`] for a name that is unknown.
    pub fn drop(text: &str) -> Result<Self, Failure> {
        match text {
            "all" => Ok(CapsSpec::Drop(Caps::all())),
            _ => Caps::read("--caps.drop", text).map(CapsSpec::Drop),
        }
    }

    /// The set that is kept. On the host one that reads every file is not among those kept by default.
    pub(crate) fn kept(self, other_user: bool, on_host: bool) -> Caps {
        let usual = match (other_user, on_host) {
            (true, _) => Caps::NONE,
            (false, true) => Caps::default().without(Caps::of(&["dac_override"])),
            (false, false) => Caps::default(),
        };
        match self {
            CapsSpec::Default => usual,
            CapsSpec::Keep(caps) => caps,
            CapsSpec::Drop(caps) => usual.without(caps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_for_who_starts_as_root_and_less_on_the_host() {
        let kept = |spec: CapsSpec, other_user, on_host| spec.kept(other_user, on_host).to_string();
        let default = CapsSpec::Default;
        assert_eq!(kept(default, false, false), "chown, dac_override, fowner, kill, setgid, setuid");
        assert_eq!(kept(default, false, true), "chown, fowner, kill, setgid, setuid");
        assert_eq!(kept(default, true, false), "none");
    }

    #[test]
    fn what_is_kept_by_name_is_all_there_is_and_what_is_dropped_is_not() {
        let kept = |spec: CapsSpec| spec.kept(false, false).to_string();
        assert_eq!(kept(CapsSpec::keep("sys_chroot,chown").unwrap()), "chown, sys_chroot");
        assert_eq!(kept(CapsSpec::drop("chown,kill").unwrap()), "dac_override, fowner, setgid, setuid");
        assert_eq!(kept(CapsSpec::drop("all").unwrap()), "none");
        assert_eq!(CapsSpec::keep("chown").unwrap().kept(true, false).to_string(), "chown");
    }
}
