//! `Machine`: the directories whose contents are the machine's, not one state directory's: leases and network state.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jail_net::model::JailId;
use jail_sys::lease::{Lease, Taken};
use jail_sys::{Failure, Kind};

use crate::caller::Caller;

/// Where the machine's state is unless a test says otherwise.
pub(crate) const RUN: &str = "/run/jail";

/// The machine's own state under [`RUN`]: leases (uid ranges, addresses), the jails that use the network, forwarding.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    dir: PathBuf,
}

impl Machine {
    /// The machine's state, its directories made (0700) where they are missing. An ordinary user makes none.
    ///
    /// # Errors
    /// What mkdir(2) answers.
    pub(crate) fn open() -> Result<Self, Failure> {
        let machine = Machine { dir: PathBuf::from(RUN) };
        if !Caller::now().is_root() {
            return Ok(machine); // what is the machine's is nothing that an ordinary user's jail has
        }
        let hint = "what only one jail of this machine can have is noted there, whatever --state-dir says: it must \
                    be writable";
        make_private_dir(&machine.dir, hint)?;
        for part in ["uid", "address", "mac", "networked", "forwarding"] {
            make_private_dir(&machine.dir.join(part), hint)?;
        }
        Ok(machine)
    }

    /// The machine's state for looking only: nothing is made, and what is not there is empty.
    pub(crate) fn look() -> Self {
        Machine { dir: PathBuf::from(RUN) }
    }

    /// Leases of uid ranges.
    pub(crate) fn uids(&self) -> PathBuf {
        self.dir.join("uid")
    }

    /// Leases of addresses.
    pub(crate) fn addresses(&self) -> PathBuf {
        self.dir.join("address")
    }

    /// Leases of MAC addresses that were asked for.
    pub(crate) fn macs(&self) -> PathBuf {
        self.dir.join("mac")
    }

    /// What forwarding changed on the host.
    pub(crate) fn forwarding(&self) -> PathBuf {
        self.dir.join("forwarding")
    }

    /// A file per jail that uses the network.
    pub(crate) fn dir_networked(&self) -> PathBuf {
        self.dir.join("networked")
    }

    /// The lock around what all jails share of the host's network.
    ///
    /// # Errors
    /// What open(2) answers.
    pub(crate) fn network_lock(&self) -> Result<NetworkLock, Failure> {
        let path = self.dir.join("network.lock");
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file =
            file.map_err(|error| Failure::call("state", "open", path.display().to_string(), &error))?;
        Ok(NetworkLock { file })
    }

    /// The file that stands for this jail among those that use the network.
    pub(crate) fn networked_file(&self, id: &JailId) -> PathBuf {
        self.dir_networked().join(id.as_str())
    }

    /// Says on the machine that this jail uses the network, for as long as the lease is held, and by which plugins: the
    /// firewall's last.
    ///
    /// # Errors
    /// When the lease's file cannot be made.
    pub(crate) fn networked<'a>(
        &self,
        id: &JailId,
        plugins: impl Iterator<Item = &'a PathBuf>,
    ) -> Result<Lease, Failure> {
        let path = self.networked_file(id);
        let plugins: Vec<_> = plugins.map(|plugin| plugin.display().to_string()).collect();
        match Lease::take(&path, &format!("{id}\n{}", plugins.join("\n"))) {
            Ok(Taken::Ours { lease, .. }) => Ok(lease),
            Ok(Taken::Theirs(_)) => {
                Err(Failure::call("state", "lease", id.as_str(), &io::Error::from_raw_os_error(libc::EEXIST)))
            }
            Err(error) => Err(Failure::call("state", "lease", path.display().to_string(), &error)),
        }
    }

    /// Every jail of this machine that was given the network and has not given it back, whatever its state directory.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn all_networked(&self) -> Result<Vec<Networked>, Failure> {
        let mut all = Vec::new();
        for name in names_in(&self.dir_networked())? {
            let Ok(id) = name.parse::<JailId>() else { continue };
            let path = self.networked_file(&id);
            let alive = Lease::is_held(&path)
                .map_err(|error| Failure::call("state", "lock", path.display().to_string(), &error))?;
            // One that cannot be read names none; who removes it tells why.
            let text = Lease::holder(&path).unwrap_or_default();
            all.push(Networked { id, alive, plugins: text.lines().skip(1).map(PathBuf::from).collect() });
        }
        Ok(all)
    }

    /// The living jails, each with the plugin of its firewall if that can be told.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn firewalls(&self) -> Result<Vec<(JailId, Option<PathBuf>)>, Failure> {
        let living = self.all_networked()?.into_iter().filter(|jail| jail.alive);
        Ok(living.map(|mut jail| (jail.id, jail.plugins.pop())).collect())
    }

    /// Every jail of this machine that uses the network and lives, whatever its state directory.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn alive(&self) -> Result<Vec<JailId>, Failure> {
        Ok(self.firewalls()?.into_iter().map(|(id, _)| id).collect())
    }

    /// Removes what dead holders left of one kind of lease.
    ///
    /// # Errors
    /// When the directory cannot be read or a file not removed: the first such failure, which keeps no other file.
    pub(crate) fn sweep(&self, dir: &Path) -> Result<(), Failure> {
        let mut result = Ok(());
        for name in names_in(dir)? {
            let path = dir.join(&name);
            result = result.and(match Lease::take(&path, "") {
                Ok(Taken::Ours { lease, .. }) => release(lease),
                Ok(Taken::Theirs(_)) => Ok(()),
                Err(error) => Err(Failure::call("state", "lease", path.display().to_string(), &error)),
            });
        }
        result
    }
}

/// A jail that was given the network. What a dead one was given may still be there.
#[derive(Debug)]
pub(crate) struct Networked {
    pub(crate) id: JailId,
    pub(crate) alive: bool,
    /// By which plugins, the firewall's last.
    pub(crate) plugins: Vec<PathBuf>,
}

impl Networked {
    /// Whether this plugin, wherever its file is now, gave it some of it.
    pub(crate) fn has_by(&self, plugin: &Path) -> bool {
        self.plugins.iter().any(|had| had.file_name() == plugin.file_name())
    }
}

/// The machine's network lock: shared while a jail comes or goes, exclusive to change what all share.
#[derive(Debug)]
pub(crate) struct NetworkLock {
    file: File,
}

impl NetworkLock {
    /// Waits for it, to change what all jails share.
    ///
    /// # Errors
    /// What flock(2) answers.
    pub(crate) async fn exclusive(&self) -> Result<(), Failure> {
        match self.file.try_lock() {
            Ok(()) => Ok(()),
            Err(_) => self.wait(File::lock).await,
        }
    }

    /// Waits for it, to add or remove what is one jail's own. An exclusive lock held becomes a shared one.
    ///
    /// # Errors
    /// What flock(2) answers.
    pub(crate) async fn shared(&self) -> Result<(), Failure> {
        match self.file.try_lock_shared() {
            Ok(()) => Ok(()),
            Err(_) => self.wait(File::lock_shared).await,
        }
    }

    /// Gives it up, for work that needs none and takes long.
    ///
    /// # Errors
    /// What flock(2) answers.
    pub(crate) fn release(&self) -> Result<(), Failure> {
        self.file.unlock().map_err(|error| Failure::call("state", "flock", "network.lock", &error))
    }

    async fn wait(&self, lock: fn(&File) -> io::Result<()>) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::call("state", "flock", "network.lock", &error);
        let file = self.file.try_clone().map_err(failed)?;
        let waited = tokio::task::spawn_blocking(move || lock(&file)).await;
        waited.map_err(io::Error::other).and_then(|locked| locked).map_err(failed)
    }
}

/// Gives back a lease file that belongs to jail `id`, held by this process (then `lease` says so) or by nobody alive.
/// One that has another holder by now is left alone.
pub(crate) fn give_back(path: &Path, id: &JailId, ours: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::call("state", "unlink", path.display().to_string(), &error);
    let text = Lease::holder(path).map_err(failed)?;
    if !text.contains(id.as_str()) {
        return Ok(());
    }
    match Lease::take(path, &text).map_err(failed)? {
        Taken::Ours { lease, previous } if previous.contains(id.as_str()) => lease.release().map_err(failed),
        Taken::Theirs(holder) if ours && holder.contains(id.as_str()) => {
            std::fs::remove_file(path).map_err(failed)
        }
        _ => Ok(()),
    }
}

fn release(lease: Lease) -> Result<(), Failure> {
    let path = lease.path().display().to_string();
    lease.release().map_err(|error| Failure::call("state", "unlink", path, &error))
}

/// Makes a directory and its parents that only its owner may enter; one that is there must be the caller's own, and
/// writable for nobody else. What to do where it cannot be made is `hint`, unless there is just no room.
pub(crate) fn make_private_dir(dir: &Path, hint: &str) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| {
        let failure = Failure::call("state", "mkdir", dir.display().to_string(), &error);
        match error.raw_os_error() {
            Some(libc::ENOSPC | libc::EDQUOT) => failure,
            _ => failure.hint(hint),
        }
    })?;
    refuse_strangers(dir)
}

/// Refuses a directory that is there and not the caller's own, or that others may write in.
pub(crate) fn refuse_strangers(dir: &Path) -> Result<(), Failure> {
    let shown = dir.display().to_string();
    let there = match std::fs::symlink_metadata(dir) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::call("state", "stat", shown, &error)),
    };
    let ours = nix::unistd::geteuid();
    if there.is_dir() && there.uid() == ours.as_raw() && there.mode() & 0o022 == 0 {
        return Ok(());
    }
    let message = format!("{shown}: it belongs to somebody else, or others may write in it");
    Err(Failure::new(Kind::Denied, "state", "stat", shown, message).hint(if ours.is_root() {
        "jail believes what it finds there: make it root's own (chown root, chmod go-w), or remove it, and run jail as the host's own root"
    } else {
        "jail believes what it finds there: make it your own (chown, chmod go-w), or have the state elsewhere (--state-dir)"
    }))
}

/// The names in a directory; none when it is not there.
pub(crate) fn names_in(dir: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error: io::Error| Failure::call("state", "readdir", dir.display().to_string(), &error);
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
