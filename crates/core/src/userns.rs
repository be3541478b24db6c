//! `--userns`: whose ids a jail's ids are on the host, and the user namespaces that says.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::str::FromStr;

use jail_ns::{idmap, range};
use jail_sys::lease::Lease;
use jail_sys::{Failure, IdMap};
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use crate::journal::Journal;

/// Whose ids a jail's ids are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Userns {
    /// 65536 that nobody else has, in a user namespace of its own.
    #[default]
    Auto,
    /// The host's 0 to 65535, in a user namespace of its own: its capabilities count for nothing of the host's, its
    /// users are the host's.
    Identity,
    /// The host's, without a user namespace: its root is the host's, with the few capabilities that are kept.
    Host,
    /// One, which is that of who starts the jail and is not root: what the default comes to then. Its root is that user.
    Own,
}

impl Userns {
    /// The value of the option.
    pub fn name(self) -> &'static str {
        match self {
            Userns::Auto => "auto",
            Userns::Identity => "identity",
            Userns::Host => "host",
            Userns::Own => "own",
        }
    }

    /// What a plan says of it.
    pub(crate) fn line(self) -> &'static str {
        match self {
            Userns::Auto => "user last (65536 ids of its own)",
            Userns::Identity => "user last (the host's ids 0 to 65535: --userns=identity)",
            Userns::Host => "and no user namespace (the host's ids: --userns=host)",
            Userns::Own => "user first and last (one id: its root is the user who starts it)",
        }
    }
}

impl fmt::Display for Userns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Userns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Userns::Auto, Userns::Identity, Userns::Host];
        let found = all.into_iter().find(|userns| userns.name() == text);
        found.ok_or_else(|| "it is auto, identity or host".to_owned())
    }
}

/// Whether somebody in a jail with these ids may be the owner of this process's executable, who could write to it: a
/// program is root's or the user's own.
pub(crate) fn may_own_ours(ids: &IdMap) -> bool {
    [0, geteuid().as_raw()].into_iter().any(|uid| ids.to_jail(uid).is_some())
}

/// The ids of one jail.
#[derive(Debug)]
pub(crate) struct Ids {
    /// Which ids of the host its ids are.
    pub(crate) map: IdMap,
    /// The lease of 65536 ids that nobody else has; an ordinary user has none.
    pub(crate) lease: Option<Lease>,
    /// The user namespace that it enters last.
    user: Option<OwnedFd>,
    /// One with the leased ids and nobody in it, where the jail's own are the host's.
    strangers: Option<OwnedFd>,
}

impl Ids {
    /// Leases ids for `holder` and makes the namespaces.
    pub(crate) fn make(
        userns: Userns,
        dir: &Path,
        holder: &str,
        journal: &mut Journal,
    ) -> Result<Self, Failure> {
        let mut leased = || {
            let (leased, lease) = range::lease(dir, holder)?;
            let lease = journal.lease(lease)?;
            Ok::<_, Failure>((leased, Some(lease), Some(idmap::user_namespace(&leased)?)))
        };
        Ok(match userns {
            Userns::Auto => {
                let (map, lease, user) = leased()?;
                Ids { map, lease, user, strangers: None }
            }
            Userns::Identity => {
                let (IdMap { size, .. }, lease, strangers) = leased()?;
                let map = IdMap { base: 0, size };
                Ids { map, lease, user: Some(idmap::user_namespace(&map)?), strangers }
            }
            Userns::Host => {
                let (_, lease, strangers) = leased()?;
                Ids { map: IdMap::HOST, lease, user: None, strangers }
            }
            Userns::Own => {
                let map = IdMap { base: geteuid().as_raw(), size: 1 };
                Ids { map, lease: None, user: None, strangers: None }
            }
        })
    }

    /// The user namespace that the jail enters last.
    pub(crate) fn user(&self) -> Option<BorrowedFd<'_>> {
        self.user.as_ref().map(AsFd::as_fd)
    }

    /// The user namespace by which grants are id-mapped; with the host's own ids they need none.
    pub(crate) fn granted(&self) -> Option<BorrowedFd<'_>> {
        self.user().filter(|_| self.strangers.is_none())
    }

    /// The user namespace by which the rest of the host's files is id-mapped, so that the jail's root is a stranger to
    /// them also where its number is that of the host's root.
    pub(crate) fn shown(&self) -> Option<BorrowedFd<'_>> {
        self.strangers.as_ref().map(AsFd::as_fd)
    }
}
