//! `Store`: the named networks, a JSON file each (`/etc/jail/networks/NAME.json`).

use std::fs;
use std::path::{Path, PathBuf};

use jail_sys::{Failure, Kind};

use crate::model::Network;
use crate::record;

/// The longest name of a network.
const LONGEST: usize = 32;

/// The named networks in a directory; it is made with the first one.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The store in `dir`. Touches nothing.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Store { dir: dir.into() }
    }

    /// Keeps a new network.
    ///
    /// # Errors
    /// `Invalid` for a name that cannot be one, `Conflict` when there is one of this name; what the file system answers.
    pub fn create(&self, network: &Network) -> Result<(), Failure> {
        let path = self.path(&network.name)?;
        let made = fs::create_dir_all(&self.dir);
        made.map_err(|error| Failure::call("state", "mkdir", self.dir.display().to_string(), &error))?;
        record::create(&path, network).map_err(|failure| match failure.kind {
            Kind::Conflict => {
                let message = format!("there is a network {} already", network.name);
                Failure::new(Kind::Conflict, "network", "create network", network.name.clone(), message)
                    .hint(format!("remove it first with: jail net rm {}", network.name))
            }
            _ => failure,
        })
    }

    /// The network of this name, if there is one.
    ///
    /// # Errors
    /// `Invalid`, naming the file, when it is not one we wrote; what the file system answers.
    pub fn get(&self, name: &str) -> Result<Option<Network>, Failure> {
        match self.path(name) {
            Ok(path) => read(&path, name),
            Err(_) => Ok(None), // what cannot be a name names nothing
        }
    }

    /// The network that `--net` means: by its own name, else by its bridge's.
    ///
    /// # Errors
    /// As [`Store::get`] and [`Store::list`].
    pub fn find(&self, name: &str) -> Result<Option<Network>, Failure> {
        match self.get(name)? {
            Some(network) => Ok(Some(network)),
            None => Ok(self.list()?.into_iter().find(|network| network.interface() == name)),
        }
    }

    /// Every network that can be read, by name: one file that cannot does not take the others along.
    /// [`Store::unreadable`] tells of it.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn list(&self) -> Result<Vec<Network>, Failure> {
        Ok(self.look()?.into_iter().filter_map(Result::ok).flatten().collect())
    }

    /// Why files among the networks cannot be read, a failure that names the file for each.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn unreadable(&self) -> Result<Vec<Failure>, Failure> {
        Ok(self.look()?.into_iter().filter_map(Result::err).collect())
    }

    fn look(&self) -> Result<Vec<Result<Option<Network>, Failure>>, Failure> {
        let files = record::names(&self.dir)?;
        let named = files.iter().filter_map(|file| Some((file, file.strip_suffix(".json")?)));
        Ok(named.map(|(file, name)| read(&self.dir.join(file), name)).collect())
    }

    /// Forgets a network.
    ///
    /// # Errors
    /// `NotFound` when there is none of this name; what the file system answers.
    pub fn remove(&self, name: &str) -> Result<(), Failure> {
        let removed = match self.path(name) {
            Ok(path) => record::remove(&path)?,
            Err(_) => false,
        };
        if removed {
            return Ok(());
        }
        let message = format!("there is no network {name}");
        Err(Failure::new(Kind::NotFound, "network", "remove network", name, message)
            .hint("see: jail net list"))
    }

    fn path(&self, name: &str) -> Result<PathBuf, Failure> {
        match refuses(name) {
            None => Ok(self.dir.join(format!("{name}.json"))),
            Some(message) => Err(Failure::new(Kind::Invalid, "network", "name network", name, message)),
        }
    }
}

/// Why `name` cannot be a network's, or `None` if it can: it is a file's name, and part of a link's.
pub fn refuses(name: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > LONGEST {
        Some(format!("'{name}' is not a network's name: it needs 1 to {LONGEST} characters"))
    } else if !name.bytes().all(fits) || !name.as_bytes()[0].is_ascii_alphanumeric() {
        Some(format!(
            "'{name}' is not a network's name: letters, digits, '.', '_' and '-', a letter or digit first"
        ))
    } else {
        None
    }
}

/// A file whose name and content differ was not written by us.
fn read(path: &Path, name: &str) -> Result<Option<Network>, Failure> {
    let network: Option<Network> = record::read(path)?;
    match network {
        Some(network) if network.name != name => {
            let object = path.display().to_string();
            let message = format!("{object}: holds the network {}", network.name);
            Err(Failure::new(Kind::Invalid, "state", "read", object, message).hint("rename it or remove it"))
        }
        network => Ok(network),
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    fn dmz() -> Network {
        Network::ours("dmz", "br0", "10.10.20.1/24".parse().unwrap())
    }

    #[test]
    fn a_network_is_kept_found_by_either_name_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().join("networks"));
        assert!(store.list().unwrap().is_empty());
        store.create(&dmz()).unwrap();
        assert_eq!(store.list().unwrap(), [dmz()]);
        assert_eq!(store.find("dmz").unwrap(), Some(dmz()));
        assert_eq!(store.find("br0").unwrap(), Some(dmz()));
        assert_eq!(store.create(&dmz()).unwrap_err().message, "there is a network dmz already");
        store.remove("dmz").unwrap();
        assert_eq!(store.remove("dmz").unwrap_err().message, "there is no network dmz");
        assert_eq!(store.find("br0").unwrap(), None);
    }

    #[test]
    fn a_name_is_no_path() {
        let store = Store::new(tempfile::tempdir().unwrap().path());
        for name in ["", "../dmz", ".dmz", "a/b", "-x", "d mz", &"x".repeat(33)] {
            let network = Network { name: name.into(), ..dmz() };
            assert_eq!(store.create(&network).unwrap_err().kind, Kind::Invalid, "{name}");
            assert_eq!(store.get(name).unwrap(), None);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_and_the_others_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        store.create(&dmz()).unwrap();
        fs::write(dir.path().join("bad.json"), "{").unwrap();
        fs::create_dir(dir.path().join("dir.json")).unwrap();
        mkfifo(&dir.path().join("fifo.json"), Mode::S_IRWXU).unwrap();
        fs::write(dir.path().join("README"), "x").unwrap();
        assert_eq!(store.list().unwrap(), [dmz()]);
        assert_eq!(store.find("br0").unwrap(), Some(dmz()));
        assert_eq!(store.find("none").unwrap(), None);
        let failures = store.unreadable().unwrap();
        for (failure, said) in failures.iter().zip([
            "bad.json: not a file jail wrote: ",
            "dir.json: not a file jail wrote: it is no regular file",
            "fifo.json: not a file jail wrote: it is no regular file",
        ]) {
            assert!(failure.message.contains(said), "{failure}");
            assert_eq!((failure.kind, &*failure.hint), (Kind::Invalid, "mend it or remove it"));
        }
        assert_eq!(failures.len(), 3);
        assert!(store.find("bad").unwrap_err().message.contains("bad.json"));
    }
}
