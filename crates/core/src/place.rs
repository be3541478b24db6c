//! `Place`: where a jail's files are kept and its plugins found; the same for every command of one call.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jail_sys::Failure;

use crate::caller::Caller;
use crate::machine::RUN;
use crate::registry::Registry;

/// Where jails keep their state, networks are described and plugins are found.
#[derive(Clone, Debug)]
pub struct Place {
    /// The state directory: /run/jail, for an ordinary user `$XDG_RUNTIME_DIR/jail`, or what `--state-dir` names.
    pub state_dir: PathBuf,
    /// Where named networks are kept: /etc/jail/networks.
    pub networks: PathBuf,
    /// Where plugins are looked for, in order.
    pub plugin_dirs: Vec<PathBuf>,
}

impl Place {
    /// The usual places, with `plugin_dirs` looked through before them.
    ///
    /// # Errors
    /// When a plugin directory is not there.
    pub fn new(state_dir: Option<&Path>, plugin_dirs: &[PathBuf]) -> Result<Self, Failure> {
        let state_dir = match state_dir {
            None => own_state_dir(),
            Some(dir) => std::path::absolute(dir).map_err(|error| {
                Failure::call("state", "getcwd", format!("--state-dir={}", dir.display()), &error)
            })?,
        };
        let plugin_dirs = jail_net::plugin::directories(plugin_dirs)?;
        Ok(Place { state_dir, networks: PathBuf::from("/etc/jail/networks"), plugin_dirs })
    }

    /// The jails of the state directory.
    pub fn registry(&self) -> Registry {
        Registry::new(&self.state_dir)
    }
}

/// Where the caller's state is: for an ordinary user below the directory that a login makes for it, which is gone with
/// its last session.
fn own_state_dir() -> PathBuf {
    match Caller::now() {
        Caller::Root => PathBuf::from(RUN),
        Caller::User { uid, .. } => runtime_dir(std::env::var_os("XDG_RUNTIME_DIR"), uid).join("jail"),
    }
}

/// The runtime directory as the XDG base directory specification has it, and where systemd makes it if that is not said.
fn runtime_dir(said: Option<OsString>, uid: u32) -> PathBuf {
    let said = said.map(PathBuf::from).filter(|dir| dir.is_absolute());
    said.unwrap_or_else(|| PathBuf::from(format!("/run/user/{uid}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_runtime_directory_also_where_it_is_not_said() {
        assert_eq!(runtime_dir(Some("/tmp/mine".into()), 7), PathBuf::from("/tmp/mine"));
        for nothing in [None, Some("".into()), Some("relative".into())] {
            assert_eq!(runtime_dir(nothing, 7), PathBuf::from("/run/user/7"));
        }
    }
}
