//! The `Stage` trait: one part of a jail, in two halves. The host's half is async and runs here; the jail's half is
//! encoded operations that the child replays. An embedder's own stage stands beside ours.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use async_trait::async_trait;
use jail_filter::FilterPlan;
use jail_fs::{MountPlan, Owners};
use jail_net::model::JailId;
use jail_sys::op::Step;
use jail_sys::{Failure, IdMap, Kind};

use crate::journal::Journal;
use crate::streams::{Streams, Wired};
use crate::user::User;
use crate::userns::Ids;

/// What stages fill in before the child is cloned.
#[derive(Debug)]
pub struct Setup<'a> {
    /// The jail's id.
    pub id: &'a JailId,
    /// Its host name.
    pub name: &'a str,
    /// Which ids of the host its ids are.
    pub ids: IdMap,
    /// The user namespace that it enters last; `None` is the host's.
    pub user: Option<BorrowedFd<'a>>,
    /// By which user namespaces the host's files are id-mapped.
    pub(crate) mapped: Mapped<'a>,
    /// Steps in the new namespaces, as the host's root. Those of the file system stage end with the pivot: what comes
    /// after them sees the jail's root.
    pub files: Vec<Step>,
    /// Steps right before the command is executed, in its user namespace.
    pub confine: Vec<Step>,
    /// Descriptors the steps name, to be kept open until the command runs.
    pub held: Vec<OwnedFd>,
    /// The jail's pseudo-terminals, mounted nowhere yet.
    devpts: Option<OwnedFd>,
}

impl<'a> Setup<'a> {
    pub(crate) fn new(id: &'a JailId, name: &'a str, ids: &'a Ids) -> Self {
        Setup {
            id,
            name,
            ids: ids.map,
            user: ids.user(),
            mapped: Mapped { granted: ids.granted(), shown: ids.shown() },
            files: Vec::new(),
            confine: Vec::new(),
            held: Vec::new(),
            devpts: None,
        }
    }

    /// The jail's standard descriptors.
    pub(crate) fn wire(&self, streams: Streams, user: &User) -> Result<Wired, Failure> {
        match &self.devpts {
            Some(devpts) => Wired::new(streams, &self.ids, (user.uid, user.gid), devpts.as_fd()),
            None => {
                let message = "there are no terminals without the file system stage";
                Err(Failure::new(Kind::Failed, "filesystem", "wire", "/dev/pts", message))
            }
        }
    }
}

/// User namespaces by which the host's files are id-mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapped<'a> {
    granted: Option<BorrowedFd<'a>>,
    shown: Option<BorrowedFd<'a>>,
}

/// The child while it waits for the network.
#[derive(Debug)]
pub struct Child<'a> {
    /// Its pid on the host.
    pub pid: i32,
    /// Its network namespace; `None` when it shares the host's.
    pub netns: Option<BorrowedFd<'a>>,
}

/// One part of a jail.
#[async_trait]
pub trait Stage: Send {
    /// What its failures are reported as.
    fn name(&self) -> &'static str;

    /// Before the clone: adds the jail's half to `setup`. Gives the host nothing.
    ///
    /// # Errors
    /// What was asked for and cannot be had.
    async fn prepare(&mut self, setup: &mut Setup<'_>) -> Result<(), Failure> {
        let _ = setup;
        Ok(())
    }

    /// While the child makes its file system: gives the host what it is to be given, each thing in the journal first.
    ///
    /// # Errors
    /// What could not be done; what is in the journal is undone by the caller.
    async fn attach(&mut self, child: &Child<'_>, journal: &mut Journal) -> Result<(), Failure> {
        let _ = (child, journal);
        Ok(())
    }

    /// Descriptors that must stay open while the jail lives (locks, sockets), taken once after a start that succeeded.
    fn keep(&mut self) -> Vec<OwnedFd> {
        Vec::new()
    }
}

/// What the jail sees of the file system.
pub(crate) struct Files<'a>(pub(crate) &'a MountPlan);

#[async_trait]
impl Stage for Files<'_> {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    async fn prepare(&mut self, setup: &mut Setup<'_>) -> Result<(), Failure> {
        let Mapped { granted, shown } = setup.mapped;
        let view = self.0.compile(setup.name, &Owners { ids: &setup.ids, granted, shown })?;
        setup.files.extend(view.steps);
        setup.held.extend(view.held);
        setup.devpts = Some(match view.devpts {
            Some(devpts) => devpts,
            None => hosts_terminals()?,
        });
        Ok(())
    }
}

/// Where a terminal comes from for a jail that mounts its own only once it has been cloned: that is one of the host's,
/// like the one that the user has.
fn hosts_terminals() -> Result<OwnedFd, Failure> {
    let dev = File::open("/dev").map_err(|error| Failure::call("filesystem", "open", "/dev", &error))?;
    Ok(dev.into())
}

/// What the jail may ask the kernel.
pub(crate) struct Filter<'a>(pub(crate) &'a FilterPlan);

#[async_trait]
impl Stage for Filter<'_> {
    fn name(&self) -> &'static str {
        "filter"
    }

    async fn prepare(&mut self, setup: &mut Setup<'_>) -> Result<(), Failure> {
        setup.confine.extend(self.0.steps()?);
        Ok(())
    }
}
