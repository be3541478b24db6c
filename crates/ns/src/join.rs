//! Entering a jail: the program of a process that goes in beside the ones that are there.

use std::os::fd::RawFd;

use jail_sys::op::{Fd, Op, Program, Step};

use crate::payload::Payload;
use crate::spawn::KEYS;

/// Everything entering is made of. Descriptors are the caller's, close-on-exec, and open until the outcome.
#[derive(Debug)]
pub struct Join {
    /// pidfd of any process in the jail.
    pub pidfd: RawFd,
    /// The jail's namespaces as it was started with: [`crate::spawn::namespaces`], and `CLONE_NEWUSER` if it has one.
    pub namespaces: i32,
    /// Whether its ids are to be changed to the jail's root's; who is not root on the host is that by entering.
    pub change_ids: bool,
    /// The filter stage, as the jail itself was confined.
    pub confine: Vec<Step>,
    /// The command.
    pub payload: Payload,
}

/// The program that enters, for [`jail_sys::launch::launch`] without namespaces.
///
/// The command becomes a child of the caller's process, [`jail_sys::launch::Started::second`] is its pid, seen from there;
/// the launched process itself only opens the door and is gone at the outcome. Until then the caller starts no jail with
/// [`crate::spawn::UserNamespace::Own`].
pub fn program(join: Join) -> Program {
    let Join { pidfd, namespaces, change_ids, confine, payload } = join;
    let step = |object: &str, op| Step::new("namespace", object, op);
    // Inside are processes that may want to look at a newcomer, which shares our memory until its execve.
    let mut steps = vec![step("jail", Op::NotDumpable)];
    let enter = Op::JoinAll { pidfd: Fd::Parent(pidfd), flags: namespaces };
    steps.push(step("jail", enter).hint("is it still running? `jail list` tells"));
    let ids = change_ids.then(|| Op::SetIds { uid: 0, gid: 0, groups: Vec::new() });
    let mut inside: Vec<Step> = ids.map(|ids| step("ids of the jail", ids)).into_iter().collect();
    inside.push(step("session keyring", Op::OwnKeyring).hint(KEYS));
    inside.extend(payload.steps(confine));
    // The pid namespace counts for children only; a sibling is a child of the caller's.
    steps.push(step("command", Op::Fork { program: Box::new(Program { steps: inside }), sibling: true }));
    steps.push(step("jail", Op::Exit(0)));
    Program { steps }
}
