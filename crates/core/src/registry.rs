//! The registry: a directory per jail under the state directory, with its plan, its status, its journal, and a lock
//! that is held while the jail lives.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jail_net::model::JailId;
use jail_sys::lease::{Lease, Taken};
use jail_sys::{Failure, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::caller::Caller;
use crate::machine::{RUN, make_private_dir, names_in, refuse_strangers};
use crate::plan::Plan;
use crate::status::{Status, namespace};

/// The jails of one state directory.
#[derive(Clone, Debug)]
pub struct Registry {
    dir: PathBuf,
}

/// The directory of one jail.
#[derive(Clone, Debug)]
pub struct Home {
    dir: PathBuf,
}

/// The answer to [`Registry::claim`].
#[derive(Debug)]
pub(crate) enum Claim {
    /// The name is ours, and the directory is empty but for the lock.
    Ours(Home, Lease),
    /// The name is ours, but a jail that died left its things: undo them first.
    Dead(Home, Lease),
    /// A jail that lives has it.
    Taken,
}

/// What can be known of a jail that is registered.
#[derive(Debug)]
pub struct Registered {
    /// Its directory.
    pub home: Home,
    /// What it was planned to be.
    pub plan: Plan,
    /// What it is; `None` while it starts.
    pub status: Option<Status>,
}

impl Registry {
    /// The registry below a state directory. Nothing is made until a jail is claimed.
    pub fn new(state_dir: &Path) -> Self {
        Registry { dir: state_dir.join("jails") }
    }

    /// The directory of the jail of this name, whether there is one or not.
    pub fn home(&self, name: &str) -> Home {
        Home { dir: self.dir.join(name) }
    }

    /// Claims a name.
    pub(crate) fn claim(&self, name: &str) -> Result<Claim, Failure> {
        let home = self.home(name);
        // The usual place holds what is the machine's as well, which no other --state-dir moves.
        let hint = match self.dir.starts_with(RUN) {
            _ if !Caller::now().is_root() => {
                "jail keeps its state there: set XDG_RUNTIME_DIR to a directory of your own, as a login does, or choose \
                 one with --state-dir"
            }
            true => "jail keeps its state there: it must be writable",
            false => {
                "jail keeps its state there: it must be writable, or choose another place with --state-dir"
            }
        };
        make_private_dir(&self.dir, hint)?;
        loop {
            make_private_dir(&home.dir, hint)?;
            match Lease::take(&home.lock(), name) {
                Ok(Taken::Theirs(_)) => return Ok(Claim::Taken),
                Ok(Taken::Ours { lease, previous }) if previous.is_empty() && home.is_bare()? => {
                    return Ok(Claim::Ours(home, lease));
                }
                Ok(Taken::Ours { lease, .. }) => return Ok(Claim::Dead(home, lease)),
                // The holder before us removed the directory between our mkdir and our open.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let _ = fs::remove_dir(&home.dir); // unless somebody has something in it
                    return Err(Failure::call("state", "lock", home.lock().display().to_string(), &error));
                }
            }
        }
    }

    /// The names of all directories, of the living and the dead, in order.
    ///
    /// # Errors
    /// When the directory cannot be read, or is not the caller's own: what is in it is believed.
    pub fn names(&self) -> Result<Vec<String>, Failure> {
        refuse_strangers(&self.dir)?;
        let is_home =
            |name: &String| fs::symlink_metadata(self.home(name).dir).is_ok_and(|about| about.is_dir());
        Ok(names_in(&self.dir)?.into_iter().filter(is_home).collect())
    }

    /// Every jail that lives and can be read, in order of name. [`Registry::unreadable`] tells of the others.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn living(&self) -> Result<Vec<Registered>, Failure> {
        Ok(self.look()?.into_iter().filter_map(Result::ok).collect())
    }

    /// Why jails that live cannot be read: somebody else's version wrote their files, or nobody's.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn unreadable(&self) -> Result<Vec<Failure>, Failure> {
        Ok(self.look()?.into_iter().filter_map(Result::err).collect())
    }

    /// Why the jail of this name, which lives, cannot be read.
    pub(crate) fn unreadable_named(&self, name: &str) -> Result<Option<Failure>, Failure> {
        let there = self.names()?.iter().any(|one| one == name);
        Ok(there.then(|| self.home(name).registered()).and_then(Result::err))
    }

    /// Jails that have ended without being cleared up, for their supervisor was killed: a failure with the remedy for
    /// each, its object the name.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn left_behind(&self) -> Result<Vec<Failure>, Failure> {
        let dead = self.names()?.into_iter().filter(|name| self.home(name).is_left_behind());
        let told = dead.map(|name| {
            let message = format!("the jail {name} has ended without being cleared up");
            Failure::new(Kind::NotFound, "state", "find", name, message)
                .hint("remove what it left with: jail gc")
        });
        Ok(told.collect())
    }

    fn look(&self) -> Result<Vec<Result<Registered, Failure>>, Failure> {
        let homes = self.names()?.into_iter().map(|name| self.home(&name));
        Ok(homes.filter_map(|home| home.registered().transpose()).collect())
    }
}

impl Home {
    /// The directory.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// The file whose lock is held while the jail lives.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    /// The file that is there while the jail is being stopped.
    pub fn stopping(&self) -> PathBuf {
        self.dir.join("stopping")
    }

    /// The jail, if it lives. One that has not written its plan yet, or has just gone, is not there.
    fn registered(self) -> Result<Option<Registered>, Failure> {
        if !self.is_alive()? {
            return Ok(None);
        }
        let Some(plan) = self.plan()? else { return Ok(None) };
        Ok(Some(Registered { status: self.status()?, plan, home: self }))
    }

    fn aside(&self) -> PathBuf {
        self.dir.join("new")
    }

    fn plan_file(&self) -> PathBuf {
        self.dir.join("plan.json")
    }

    fn status_file(&self) -> PathBuf {
        self.dir.join("status.json")
    }

    /// Every file a jail's directory may hold, the lock last: what is removed, in order, before the directory.
    pub fn files(&self) -> Vec<PathBuf> {
        vec![self.aside(), self.status_file(), self.stopping(), self.plan_file(), self.journal(), self.lock()]
    }

    /// The plan; `None` when there is none (yet).
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn plan(&self) -> Result<Option<Plan>, Failure> {
        self.read(&self.plan_file())
    }

    /// The status; `None` until the command runs.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn status(&self) -> Result<Option<Status>, Failure> {
        self.read(&self.status_file())
    }

    pub(crate) fn write_plan(&self, plan: &Plan) -> Result<(), Failure> {
        self.write(&self.plan_file(), plan)
    }

    pub(crate) fn write_status(&self, status: &Status) -> Result<(), Failure> {
        self.write(&self.status_file(), status)
    }

    /// Removes the directory and what is in it.
    pub(crate) fn remove(&self) -> Result<(), Failure> {
        for file in self.files() {
            gone(fs::remove_file(&file)).map_err(|error| self.failed("unlink", &error))?;
        }
        match fs::remove_dir(&self.dir) {
            // Whoever claims the name next has made a lock of their own in it already.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && self.lock().exists() => Ok(()),
            other => gone(other).map_err(|error| {
                let failure = self.failed("rmdir", &error);
                failure.hint("remove what is in it: jail has put nothing else there")
            }),
        }
    }

    /// Whether somebody holds the lock.
    pub(crate) fn is_alive(&self) -> Result<bool, Failure> {
        Lease::is_held(&self.lock()).map_err(|error| self.failed("lock", &error))
    }

    /// Whether files of ours are there that nobody holds the lock for. Asked twice, before and after: a jail that starts
    /// takes the lock before it makes any, and one that is cleared up has it until none is left.
    fn is_left_behind(&self) -> bool {
        // What is no lock at all is told of elsewhere.
        let unheld = || self.is_alive().is_ok_and(|alive| !alive);
        let has_files = || self.files().iter().any(|file| *file != self.lock() && file.exists());
        unheld() && has_files() && unheld()
    }

    /// Whether the directory holds nothing but the lock.
    fn is_bare(&self) -> Result<bool, Failure> {
        Ok(names_in(&self.dir)? == ["lock"])
    }

    fn read<T: DeserializeOwned>(&self, file: &Path) -> Result<Option<T>, Failure> {
        match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
                let message = format!("{} cannot be read: {error}", file.display());
                Failure::new(Kind::Failed, "state", "read", file.display().to_string(), message)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read", &error)),
        }
    }

    /// Written aside and renamed, so that a reader sees all of it or none.
    fn write<T: Serialize>(&self, file: &Path, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_vec(value).map_err(|error| self.failed("write", &error.into()))?;
        let aside = self.aside();
        let written = gone(fs::remove_file(&aside))
            .and_then(|()| File::options().write(true).create_new(true).mode(0o600).open(&aside))
            .and_then(|mut new| new.write_all(&text))
            .and_then(|()| fs::rename(&aside, file));
        written.map_err(|error| self.failed("write", &error))
    }

    fn failed(&self, operation: &'static str, error: &io::Error) -> Failure {
        Failure::call("state", operation, self.dir.display().to_string(), error)
    }
}

impl Registered {
    /// Its id.
    pub fn id(&self) -> &JailId {
        &self.plan.id
    }

    /// The inode number of its pid namespace; `None` while it starts.
    pub(crate) fn pid_namespace(&self) -> Option<u64> {
        self.status.as_ref()?.namespaces.get("pid").copied()
    }

    /// Whether its first process is there. One that has ended by itself is still registered while its output is copied
    /// and what the host was given is taken back.
    pub(crate) fn is_inhabited(&self) -> bool {
        self.status.as_ref().is_some_and(|status| namespace(status.pid, "pid") == self.pid_namespace())
    }

    /// `starting`, `running` or `stopping`.
    pub fn state(&self) -> &'static str {
        match &self.status {
            None => "starting",
            Some(_) if self.is_inhabited() && !self.home.stopping().exists() => "running",
            Some(_) => "stopping",
        }
    }
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_holder() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new(dir.path());
        let Claim::Ours(home, lease) = registry.claim("web").unwrap() else { panic!("the name was free") };
        assert!(matches!(registry.claim("web").unwrap(), Claim::Taken));
        assert!(home.is_alive().unwrap());
        fs::write(home.journal(), "").unwrap();
        assert!(registry.left_behind().unwrap().is_empty());
        home.remove().unwrap();
        drop(lease);
        assert!(matches!(registry.claim("web").unwrap(), Claim::Ours(..)));
    }

    #[test]
    fn what_is_no_jails_directory_is_nobodys_name_and_what_is_no_lock_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new(dir.path());
        let jails = dir.path().join("jails");
        fs::create_dir_all(jails.join("strange/lock")).unwrap();
        fs::set_permissions(&jails, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        fs::set_permissions(jails.join("strange"), std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .unwrap();
        fs::write(jails.join("file"), "").unwrap();
        std::os::unix::fs::symlink("/etc", jails.join("link")).unwrap();
        assert_eq!(registry.names().unwrap(), ["strange"]);
        assert!(registry.living().unwrap().is_empty());
        let failure = registry.claim("strange").unwrap_err();
        assert!(
            failure.message.ends_with("strange/lock: lock: it is no regular file: remove it"),
            "{failure}"
        );
    }

    #[test]
    fn a_dead_holders_leftovers_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let registry = Registry::new(dir.path());
        let Claim::Ours(home, lease) = registry.claim("web").unwrap() else { panic!("the name was free") };
        fs::write(home.journal(), "").unwrap();
        drop(lease);
        assert!(!home.is_alive().unwrap());
        let told: Vec<_> = registry.left_behind().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["the jail web has ended without being cleared up; remove what it left with: jail gc"]
        );
        assert!(matches!(registry.claim("web").unwrap(), Claim::Dead(..)));
    }
}
