//! `Place`: where a jail's files are kept and its plugins found; the same for every command of one call.

use std::path::{Path, PathBuf};

use jail_sys::Failure;

use crate::machine::RUN;
use crate::registry::Registry;

/// Where jails keep their state, networks are described and plugins are found.
#[derive(Clone, Debug)]
pub struct Place {
    /// The state directory: /run/jail, or what `--state-dir` names.
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
            None => PathBuf::from(RUN),
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
