//! How the host says that a plugin cannot be used: one sentence that begins with the file.

use std::path::Path;

use jail_sys::{Failure, Kind};

/// What to do about a file that is no plugin, or not one that works, unless there is more to say.
pub(super) const REMEDY: &str = "put one that works in its place, or remove it";

/// A plugin that is not loaded, and why: `reason` continues the sentence that begins with the path.
pub(super) fn refuse(kind: Kind, path: &Path, reason: impl AsRef<str>) -> Failure {
    let object = path.display().to_string();
    let message = format!("{object} {}", reason.as_ref());
    Failure::new(kind, "network", "load plugin", object, message).hint(REMEDY)
}
