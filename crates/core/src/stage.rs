//! The `Stage` trait: one part of a jail, in two halves. The host's half is async and runs here; the jail's half is
//! encoded operations that the child replays. An embedder's own stage stands beside ours.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use async_trait::async_trait;
use jail_filter::FilterPlan;
use jail_fs::MountPlan;
use jail_net::model::JailId;
use jail_sys::op::Step;
use jail_sys::{Failure, IdMap, Kind};

use crate::journal::Journal;
use crate::streams::{Streams, Wired};

/// What stages fill in before the child is cloned.
#[derive(Debug)]
pub struct Setup<'a> {
    /// The jail's id.
    pub id: &'a JailId,
    /// Its name.
    pub name: &'a str,
    /// Which ids of the host its ids are.
    pub ids: IdMap,
    /// Its user namespace, for id-mapped mounts.
    pub user: BorrowedFd<'a>,
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
    pub(crate) fn new(id: &'a JailId, name: &'a str, ids: IdMap, user: BorrowedFd<'a>) -> Self {
        Setup { id, name, ids, user, files: Vec::new(), confine: Vec::new(), held: Vec::new(), devpts: None }
    }

    /// The jail's standard descriptors.
    pub(crate) fn wire(&self, streams: Streams) -> Result<Wired, Failure> {
        match &self.devpts {
            Some(devpts) => Wired::new(streams, &self.ids, devpts.as_fd()),
            None => {
                let message = "there are no terminals without the file system stage";
                Err(Failure::new(Kind::Failed, "filesystem", "wire", "/dev/pts", message))
            }
        }
    }
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
        let view = self.0.compile(setup.name, &setup.ids, Some(setup.user))?;
        setup.files.extend(view.steps);
        setup.held.extend(view.held);
        setup.devpts = Some(view.devpts);
        Ok(())
    }
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
