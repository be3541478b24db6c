//! `jail join`: a process in a jail that runs.

use std::process::ExitCode;

use jail_core::{Failure, find};

use super::{Call, block_on};

pub(super) fn join(call: &Call, jail: &str, command: &[String]) -> Result<ExitCode, Failure> {
    let jail = find(&call.place, jail)?;
    Err(block_on(jail_core::join(&jail, command))?.hand_over())
}
