//! The hidden `jail finish`: what the small supervisor of a jail with a network becomes when the jail has ended.

use std::process::ExitCode;

use jail_core::Failure;

use super::{Call, block_on};
use crate::output;

/// The exit status is the command's own, whatever becomes of the rest; `jail gc` tries again what failed.
pub(super) fn finish(call: &Call, name: &str, status: u8) -> Result<ExitCode, Failure> {
    if let Err(failure) = block_on(jail_core::finish(&call.place, name)) {
        output::say(&format!("jail: {failure}; something of the jail {name} is left: jail gc removes it"));
    }
    Ok(ExitCode::from(status))
}
