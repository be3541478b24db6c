//! What the small supervisor of a jail with a network becomes when the jail has ended: this program by another name.
//! It is no command, for nobody is to type it.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use jail_core::{Failure, Place};

use super::{Call, block_on, keep_descriptors};
use crate::output;

/// The name, which only an `execve` of our own gives.
const NAME: &str = "jail-finish";
const JSON: &str = "json";

/// The arguments it is executed with, but for the exit status: the supervisor adds that.
pub(super) fn arguments(call: &Call, jail: &str) -> Vec<OsString> {
    let errors = if call.json { JSON } else { "text" };
    let state_dir = call.place.state_dir.clone().into_os_string();
    vec![NAME.into(), state_dir, jail.into(), errors.into()]
}

/// Takes back what a jail gave the host, if that is what this process was made for. The exit status is the command's
/// own, whatever becomes of the rest; `jail gc` tries again what failed.
pub(crate) fn asked() -> Option<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let [name, state_dir, jail, errors, status] = arguments.as_slice() else { return None };
    if name != NAME {
        return None;
    }
    let jail = jail.to_string_lossy();
    if let Err(failure) = finish(state_dir, &jail) {
        let left = format!("something of the jail {jail} is left: jail gc removes it");
        let hints = [failure.hint.as_str(), &left].into_iter().filter(|hint| !hint.is_empty());
        let hint = hints.collect::<Vec<_>>().join("; ");
        output::failure(&failure.hint(hint), errors == JSON);
    }
    Some(ExitCode::from(status.to_str().and_then(|status| status.parse().ok()).unwrap_or(output::SETUP)))
}

fn finish(state_dir: &OsStr, jail: &str) -> Result<(), Failure> {
    keep_descriptors()?;
    let place = Place::new(Some(Path::new(state_dir)), &[])?;
    block_on(jail_core::finish(&place, jail))
}
