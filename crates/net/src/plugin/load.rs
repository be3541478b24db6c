//! Loads a plugin: every check in its order, each with one sentence of its own, and a deadline over what runs the
//! plugin's code.

use std::io::{self, PipeReader, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jail_sys::{Failure, Kind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::library::{self, Library};
use super::message::Method;
use super::refuse::refuse;
use super::{Plugin, elf, find, host, trust};
use crate::backend::Description;

/// How long a plugin may take to load, and to answer a call.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Loads the plugin `path`, a file `libjail_NAME.so`, with [`DEADLINE`].
///
/// # Errors
/// See [`load_within`].
pub fn load(path: &Path) -> Result<Plugin, Failure> {
    load_within(path, DEADLINE)
}

/// Loads the plugin `path`, which has `deadline` to load and as long for every call later.
///
/// Blocks the calling thread, for 0.3 ms as a rule. The library stays loaded for the life of the process. The same file is loaded once: what was found wrong with it is
/// answered again.
///
/// # Errors
/// One sentence each that begins with the path, for a file that is not there, belongs to a stranger or can be written
/// by others, is no whole library of this machine, needs symbols that nobody has, is no plugin or one of another ABI
/// version, does not say what it is, or says another name than its file's, or takes too long.
pub fn load_within(path: &Path, deadline: Duration) -> Result<Plugin, Failure> {
    let called = |operation: &'static str| {
        let object = path.display().to_string();
        move |error: io::Error| Failure::call("network", operation, object, &error)
    };
    let name = find::name_of(path)
        .ok_or_else(|| refuse(Kind::Invalid, path, "is not named like a plugin: libjail_NAME.so"))?;
    let file = trust::open(path)?;
    let identity = library::identity(&file).map_err(called("stat"))?;
    let known = library::known(&file).map_err(called("stat"))?;
    if known.is_none() {
        elf::check(&file, path)?;
    }
    let owned = path.to_owned();
    let answer = Arc::new(Mutex::new(None));
    let theirs = Arc::clone(&answer);
    let (over, mut tell) = io::pipe().map_err(called("pipe2"))?;
    let work = move || {
        let opened = known.unwrap_or_else(|| Library::open(file, &owned)).and_then(describe);
        *theirs.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        let _nobody_waits = tell.write_all(&[0]);
    };
    thread::Builder::new().name(format!("load {name}")).spawn(work).map_err(called("start a thread"))?;
    if !readable_within(&over, deadline).map_err(called("poll"))? {
        let reason = format!("did not finish loading within {}", host::seconds(deadline));
        let failure = refuse(Kind::Failed, path, reason);
        library::refuse_for_ever(identity, &failure);
        library::leave_without_the_loader();
        return Err(failure);
    }
    let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (library, description) =
        answer.unwrap_or_else(|| Err(refuse(Kind::Failed, path, "ended the thread that loaded it")))?;
    if description.name != name {
        let reason = format!("calls itself '{}', where its file says '{name}'", description.name);
        return Err(refuse(Kind::Invalid, path, reason).hint("rename the file or the backend"));
    }
    Ok(Plugin::new(library, description, deadline))
}

/// Whether there is something to read in time, or the end. A plain poll(2): waiting on a channel for the first time
/// registers a destructor of this thread, and that takes the loader's lock, which an initialiser may hold for ever.
pub(super) fn readable_within(pipe: &PipeReader, deadline: Duration) -> io::Result<bool> {
    let end = Instant::now() + deadline;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)], timeout) {
            Err(Errno::EINTR) => {}
            answer => return Ok(answer? > 0),
        }
    }
}

fn describe(library: Arc<Library>) -> Result<(Arc<Library>, Description), Failure> {
    library.usable()?;
    let reply = library.call(Method::Describe, b"{}", None)?;
    let description = host::believe(&library, Method::Describe, &reply)?;
    Ok((library, description))
}
