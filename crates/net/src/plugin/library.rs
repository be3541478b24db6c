//! A loaded library: the only place of the host that calls into a plugin. Its functions answer bytes, not yet believed.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{CStr, c_int, c_void};
use std::fmt;
use std::fs::File;
use std::io;
use std::mem::{self, ManuallyDrop};
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::slice;
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};

use jail_sys::{Failure, Kind};
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};

use super::abi::{self, Descriptor, Entry, Reply};
use super::message::Method;
use super::refuse::refuse;
use super::trust::by_descriptor;

/// Device and inode: which file it is, by whatever path it was opened.
type Identity = (u64, u64);
type Opened = Result<Arc<Library>, Failure>;

/// What every library that was ever loaded came to. A library stays for the life of the process, and so does what was
/// found wrong with it.
static OPENED: Mutex<BTreeMap<Identity, Opened>> = Mutex::new(BTreeMap::new());

/// A plugin's library, loaded and of our ABI. Never unloaded: its threads and their thread-locals may outlive any use.
pub(super) struct Library {
    path: PathBuf,
    call: abi::Call,
    release: abi::Release,
    given_up: OnceLock<Failure>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library")
            .field("path", &self.path)
            .field("given_up", &self.given_up)
            .finish_non_exhaustive()
    }
}

/// What an earlier load of the same file came to in this process.
pub(super) fn known(file: &File) -> io::Result<Option<Opened>> {
    let identity = identity(file)?;
    Ok(OPENED.lock().unwrap_or_else(PoisonError::into_inner).get(&identity).cloned())
}

/// Remembers that this file's library is never to be called again.
pub(super) fn refuse_for_ever(identity: Identity, why: &Failure) {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner).insert(identity, Err(why.clone()));
}

/// From now on this process ends without running what loaded libraries do at its end: the loader does that under its lock,
/// which an initialiser that does not return holds for ever.
pub(super) fn leave_without_the_loader() {
    unsafe extern "C" {
        fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }
    extern "C" fn leave(status: c_int, _: *mut c_void) {
        // SAFETY: _exit(2) has no preconditions.
        unsafe { libc::_exit(status) }
    }
    static ONCE: Once = Once::new();
    // SAFETY: the handler is of the type on_exit(3) wants, needs no argument, and is never unloaded. It fails for want of
    // memory, and then nothing is worse than before.
    ONCE.call_once(|| _ = unsafe { on_exit(leave, ptr::null_mut()) });
}

pub(super) fn identity(file: &File) -> io::Result<Identity> {
    file.metadata().map(|about| (about.dev(), about.ino()))
}

impl Library {
    /// Loads the library that `file` is, which `path` is the name of for people. Runs its initialisers.
    pub(super) fn open(file: File, path: &Path) -> Opened {
        let identity = identity(&file)
            .map_err(|error| Failure::call("network", "stat", path.display().to_string(), &error))?;
        let handle = load(&file, path)?;
        // glibc knows a loaded library by the name it was opened with and answers it again for an equal name: were the
        // number free for another file, loading that would answer this library.
        let _stays_open = file.into_raw_fd();
        let opened = Library::examine(&handle, path).map(Arc::new);
        let mut all = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(identity).or_insert(opened).clone()
    }

    fn examine(handle: &Handle, path: &Path) -> Result<Library, Failure> {
        let strange = |reason: &str| Err(refuse(Kind::Invalid, path, reason));
        // SAFETY: the name is the contract's, and a library that exports it promises that type.
        let Ok(entry) = (unsafe { handle.get::<Entry>(abi::SYMBOL) }) else {
            return strange(&format!("is not a plugin of jail: it does not export {}", abi::SYMBOL));
        };
        // SAFETY: the contract lets the entry be called on any thread at any time.
        let descriptor = unsafe { entry() };
        if descriptor.is_null() || !descriptor.is_aligned() {
            return strange("gives no descriptor of itself");
        }
        // SAFETY: it points to a descriptor of some version, whose first members are the same in all; read one by one
        // because the rest may not be there.
        let (magic, version, size) = unsafe {
            ((&raw const (*descriptor).magic).read(), (*descriptor).version, (*descriptor).size as usize)
        };
        if magic != abi::MAGIC {
            return strange("is not a plugin of jail: its descriptor begins with something else");
        }
        if version != abi::VERSION {
            // SAFETY: the member is in every version; it is NULL or a string that lives as long as the library.
            let build = unsafe { text((*descriptor).build) };
            let reason = format!(
                "{build}speaks version {version} of the plugin ABI, this program version {}",
                abi::VERSION
            );
            return Err(refuse(Kind::Unsupported, path, reason).hint("use a plugin of this release of jail"));
        }
        if size < mem::size_of::<Descriptor>() {
            let whole = mem::size_of::<Descriptor>();
            return strange(&format!("has a descriptor of {size} bytes where at least {whole} are needed"));
        }
        // SAFETY: magic, version and size say that a whole descriptor is there, and that it stays as it is.
        let descriptor: &'static Descriptor = unsafe { &*descriptor };
        if descriptor.flags & abi::ABORTS_ON_PANIC != 0 {
            let reason = "is built with panic=abort: a panic in it would end this program";
            return Err(refuse(Kind::Invalid, path, reason).hint("build it with panic = \"unwind\""));
        }
        let (Some(call), Some(release)) = (descriptor.call, descriptor.release) else {
            return strange("has no function to call: a pointer in its descriptor is NULL");
        };
        Ok(Library { path: path.to_owned(), call, release, given_up: OnceLock::new() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Asks the plugin on this thread, for as long as it takes.
    pub(super) fn call(
        &self,
        method: Method,
        request: &[u8],
        netns: Option<BorrowedFd<'_>>,
    ) -> Result<Vec<u8>, Failure> {
        let netns = netns.map_or(-1, |netns| netns.as_raw_fd());
        let mut reply = Reply { data: ptr::null_mut(), len: 0 };
        let (name, data, len) = (method.symbol().as_ptr(), request.as_ptr(), request.len());
        // SAFETY: the name ends with NUL, the request and the descriptor live until the call returns, and `reply` is
        // ours to be written; the descriptor's version says that the function is of this type.
        unsafe { (self.call)(name, data, len, netns, &raw mut reply) };
        if reply.data.is_null() {
            return Err(self.misbehaved(method, "gave no answer"));
        }
        let answer = if reply.len > abi::REPLY_LIMIT {
            let (len, limit) = (reply.len, abi::REPLY_LIMIT);
            Err(self
                .misbehaved(method, &format!("gave an answer of {len} bytes, where {limit} are the most")))
        } else {
            // SAFETY: the plugin says that so many bytes are there, and they are its own until released.
            Ok(unsafe { slice::from_raw_parts(reply.data, reply.len) }.to_vec())
        };
        // SAFETY: the reply is as this call wrote it, and is not used again.
        unsafe { (self.release)(&raw mut reply) };
        answer
    }

    /// An answer that breaks the contract: `what` ends the sentence.
    pub(super) fn misbehaved(&self, method: Method, what: &str) -> Failure {
        let object = self.path.display().to_string();
        let message = format!("the plugin {object}, asked for {}, {what}", method.name());
        Failure::new(Kind::Failed, "network", method.name(), object, message)
    }

    /// Why the library is not to be called any more, if so.
    pub(super) fn usable(&self) -> Result<(), Failure> {
        self.given_up.get().map_or(Ok(()), |failure| Err(failure.clone()))
    }

    /// The library is not called again in this process; every later call answers the first `why`.
    pub(super) fn give_up(&self, why: Failure) -> Failure {
        self.given_up.get_or_init(|| why).clone()
    }
}

fn load(file: &File, path: &Path) -> Result<ManuallyDrop<Handle>, Failure> {
    // SAFETY: loading runs the library's initialisers. Its file belongs to somebody who may change this program too,
    // or who runs it; it is whole and for this machine.
    let opened = unsafe { Handle::open(Some(by_descriptor(file)), RTLD_NOW | RTLD_LOCAL) };
    opened.map(ManuallyDrop::new).map_err(|error| {
        let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let own_name = format!("{}: ", by_descriptor(file).display());
        let reason = reason.strip_prefix(&own_name).unwrap_or(&reason);
        refuse(Kind::Invalid, path, format!("cannot be loaded: {reason}"))
    })
}

/// A build line in brackets and a blank behind it, or nothing.
///
/// # Safety
/// NULL or a NUL-terminated string.
unsafe fn text(build: *const std::ffi::c_char) -> String {
    if build.is_null() {
        return String::new();
    }
    // SAFETY: not NULL, so by this function's contract a string.
    format!("({}) ", unsafe { CStr::from_ptr(build) }.to_string_lossy())
}
