//! `Caller`: whether this process is root, or an ordinary user whose jails need nothing of root's.

use jail_sys::{Failure, IdMap, Kind};
use nix::unistd::{getegid, geteuid};

use crate::spec::{Net, Spec};
use crate::userns::Userns;

/// What somebody who is not root reads wherever root is needed.
const AS_ROOT: &str = "run it with sudo";

/// Who starts and manages jails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Root: its effective uid is 0.
    Root,
    /// Anybody else: jails with `--net=none` or `--net=host`, whose root is this user and who have no other id.
    User {
        /// Effective uid.
        uid: u32,
        /// Effective gid.
        gid: u32,
    },
}

impl Caller {
    /// This process, now.
    pub fn now() -> Self {
        match (geteuid(), getegid()) {
            (uid, _) if uid.is_root() => Caller::Root,
            (uid, gid) => Caller::User { uid: uid.as_raw(), gid: gid.as_raw() },
        }
    }

    /// Whether it is root.
    pub fn is_root(self) -> bool {
        self == Caller::Root
    }

    /// The host's numbers of a user and a group of a jail with these ids.
    pub(crate) fn owner_of(self, ids: &IdMap, uid: u32, gid: u32) -> (u32, u32) {
        match self {
            Caller::Root => (ids.to_host(uid), ids.to_host(gid)),
            Caller::User { uid, gid } => (uid, gid),
        }
    }

    /// Whose ids the jails are, by default.
    pub(crate) fn userns(self, asked: Userns) -> Userns {
        if self.is_root() { asked } else { Userns::Own }
    }

    /// Refuses what takes root, each in one sentence.
    ///
    /// # Errors
    /// [`Kind::Denied`], naming the option.
    pub(crate) fn refuse(self, spec: &Spec) -> Result<(), Failure> {
        if self.is_root() {
            return Ok(());
        }
        let refused = |option: String, why: &str, instead: &str| {
            let message = format!("{option}: {why} needs root");
            let failure = Failure::new(Kind::Denied, "namespace", "plan", option, message);
            Err(failure.hint(format!("{AS_ROOT}, or {instead}")))
        };
        if let Net::On(interfaces) = &spec.network.net
            && let Some(first) = interfaces.first()
        {
            let why = "a network interface on the host";
            return refused(format!("--net={}", first.net), why, "choose --net=none or --net=host");
        }
        if spec.identity.userns != Userns::Auto {
            let why = "a user namespace with other ids than one's own, or none,";
            return refused(format!("--userns={}", spec.identity.userns), why, "leave it out");
        }
        Ok(())
    }

    /// Refuses a user of the jail's other than its root, which is the only id that there is.
    pub(crate) fn refuse_user(self, asked: Option<&str>, uid: u32, gid: u32) -> Result<(), Failure> {
        match asked {
            Some(asked) if !self.is_root() && (uid, gid) != (0, 0) => {
                let option = format!("--user={asked}");
                let message = format!(
                    "{option}: a jail with more than one id needs root, and without it has root's only"
                );
                let failure = Failure::new(Kind::Denied, "namespace", "plan", option, message);
                Err(failure.hint(format!("{AS_ROOT}, or leave --user out: the jail's root is you")))
            }
            _ => Ok(()),
        }
    }
}
