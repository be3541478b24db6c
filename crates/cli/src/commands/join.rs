//! `jail join`: a process in a jail that runs.

use std::process::ExitCode;

use jail_core::{Failure, find};

use super::{Call, need_root};

pub(super) fn join(call: &Call, jail: &str, command: &[String]) -> Result<ExitCode, Failure> {
    need_root()?;
    let jail = find(&call.place, jail)?;
    Err(jail_core::join(&jail, command)?.hand_over())
}
