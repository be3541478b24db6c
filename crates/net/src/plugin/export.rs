//! The plugin's half: turns `impl Backend` into the exported symbol. Runs in the plugin's own copy of this crate.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int};
use std::os::fd::BorrowedFd;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::{ptr, slice};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::abi::{self, Descriptor, Reply};
use super::message::{
    AttachRequest, Complaint, DetachRequest, Envelope, GcRequest, Method, NetworkOfRequest, Nothing,
};
use crate::backend::{Backend, Failure, Kind};

/// Exports a type that implements [`Backend`] and [`Default`] as this library's plugin.
///
/// The crate is a `cdylib` whose library name is `jail_NAME`, NAME being what its [`Backend::describe`] says. Each call
/// makes the backend anew with `Default`, and drives it on the calling thread by a tokio runtime of the plugin's own.
/// A panic becomes a [`Failure`]; build with `panic = "unwind"`, or the host refuses the plugin.
#[macro_export]
macro_rules! export_backend {
    ($backend:ty) => {
        /// What this plugin is: see `include/jail_plugin.h`.
        #[unsafe(no_mangle)]
        pub extern "C" fn jail_plugin_v1() -> *const $crate::plugin::abi::Descriptor {
            static DESCRIPTOR: $crate::plugin::abi::Descriptor =
                $crate::plugin::export::descriptor::<$backend>(
                    concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\0").as_bytes(),
                );
            &raw const DESCRIPTOR
        }
    };
}

/// The descriptor of a backend; `build` ends with NUL. Called by [`export_backend!`](crate::export_backend).
pub const fn descriptor<B: Backend + Default>(build: &'static [u8]) -> Descriptor {
    Descriptor {
        magic: abi::MAGIC,
        version: abi::VERSION,
        size: size_of::<Descriptor>() as u32,
        build: match CStr::from_bytes_with_nul(build) {
            Ok(text) => text.as_ptr(),
            Err(_) => ptr::null(),
        },
        flags: if cfg!(panic = "abort") { abi::ABORTS_ON_PANIC } else { 0 },
        call: Some(call::<B>),
        release: Some(release),
    }
}

/// # Safety
/// As [`abi::Call`] says.
unsafe extern "C" fn call<B: Backend + Default>(
    method: *const c_char,
    data: *const u8,
    len: usize,
    netns: c_int,
    reply: *mut Reply,
) {
    // SAFETY: the host passes a NUL-terminated string that lives until we return.
    let method = unsafe { CStr::from_ptr(method) };
    let request = match len {
        0 => &[],
        // SAFETY: the host passes `len` readable bytes that nobody changes until we return.
        _ => unsafe { slice::from_raw_parts(data, len) },
    };
    // SAFETY: a descriptor that is not -1 is open until we return.
    let netns = (netns >= 0).then(|| unsafe { BorrowedFd::borrow_raw(netns) });
    let answer = keep_panics_in(method, || answer::<B>(method, request, netns)).into_boxed_slice();
    let reply_now = Reply { len: answer.len(), data: Box::into_raw(answer).cast() };
    // SAFETY: the host passes room for a reply; what was in it is not ours to drop.
    unsafe { reply.write(reply_now) };
}

/// # Safety
/// As [`abi::Release`] says: `reply` is as `call` wrote it, and is not used again.
unsafe extern "C" fn release(reply: *mut Reply) {
    // SAFETY: the host passes the reply of one of our calls.
    let Reply { data, len } = unsafe { reply.read() };
    // SAFETY: `call` made these from a box of that many bytes, and gave it away.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(data, len)) });
}

thread_local! {
    /// Where this thread panicked last, for [`keep_panics_in`].
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `work`; a panic in it is answered as a failure, and never written to the host's stderr.
fn keep_panics_in(method: &CStr, work: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
            let _ = PANICKED_AT.try_with(|at| at.replace(place));
        }));
    });
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let text = words(&*payload);
        std::mem::forget(payload); // its drop may panic, and nothing would catch that
        let place = PANICKED_AT.take();
        let method = method.to_string_lossy();
        let message = format!("the backend panicked in {method} at {place}: {text}");
        refusal(Failure::new(Kind::Failed, "network", method.into_owned(), place, message))
    })
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

fn answer<B: Backend + Default>(method: &CStr, request: &[u8], netns: Option<BorrowedFd<'_>>) -> Vec<u8> {
    match Method::named(method) {
        Some(method) => respond::<B>(method, request, netns).unwrap_or_else(refusal),
        None => {
            let method = method.to_string_lossy();
            let message = format!("the backend does not know the method {method}");
            refusal(Failure::new(Kind::Unsupported, "network", method.into_owned(), "", message))
        }
    }
}

fn respond<B: Backend + Default>(
    method: Method,
    request: &[u8],
    netns: Option<BorrowedFd<'_>>,
) -> Result<Vec<u8>, Failure> {
    let backend = B::default();
    if method == Method::Describe {
        read::<Nothing>(method, request)?;
        return write(method, backend.describe());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::call("network", "tokio runtime", method.name(), &error))?;
    runtime.block_on(dispatch(&backend, method, request, netns))
}

async fn dispatch(
    backend: &impl Backend,
    method: Method,
    request: &[u8],
    netns: Option<BorrowedFd<'_>>,
) -> Result<Vec<u8>, Failure> {
    match method {
        Method::Describe => write(method, backend.describe()),
        Method::Probe => write(method, backend.probe().await?),
        Method::Plan => write(method, backend.plan(&read(method, request)?).await?),
        Method::Attach => {
            let AttachRequest { actions } = read(method, request)?;
            let netns = netns.ok_or_else(|| {
                Failure::new(
                    Kind::Invalid,
                    "network",
                    "attach",
                    "",
                    "attach was called without a network namespace",
                )
            })?;
            write(method, backend.attach(&actions, netns).await?)
        }
        Method::Check => write(method, backend.check(&read(method, request)?).await?),
        Method::Detach => {
            let DetachRequest { jail, undo, how } = read(method, request)?;
            write(method, backend.detach(&jail, undo.as_ref(), how).await?)
        }
        Method::Gc => {
            let GcRequest { alive } = read(method, request)?;
            write(method, backend.gc(&alive).await?)
        }
        Method::NetworkUp => write(method, backend.network_up(&read(method, request)?).await?),
        Method::NetworkDown => write(method, backend.network_down(&read(method, request)?).await?),
        Method::NetworkOf => {
            let NetworkOfRequest { bridge } = read(method, request)?;
            write(method, backend.network_of(&bridge).await?)
        }
    }
}

fn read<T: DeserializeOwned>(method: Method, request: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(request).map_err(|error| {
        let message = format!("the backend does not understand the request to {}: {error}", method.name());
        Failure::new(Kind::Invalid, "network", method.name(), "", message)
    })
}

fn write<T: Serialize>(method: Method, answer: T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(&Envelope::Ok(answer)).map_err(|error| {
        let message = format!("the backend's answer to {} cannot be written as JSON: {error}", method.name());
        Failure::new(Kind::Failed, "network", method.name(), "", message)
    })
}

fn refusal(failure: Failure) -> Vec<u8> {
    serde_json::to_vec(&Envelope::<()>::Error(Complaint::from(failure))).unwrap_or_default()
}
