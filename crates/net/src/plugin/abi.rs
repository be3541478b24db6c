//! What crosses between a plugin and its host: C types only. `include/jail_plugin.h` is the same for other languages.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

/// First word of every descriptor: "jailplug" read as a big-endian number.
pub const MAGIC: u64 = u64::from_be_bytes(*b"jailplug");

/// The version of the contract. It changes when a plugin of the old one would be misunderstood; a field added at the
/// end of [`Descriptor`], a method or an optional member of a message does not change it.
pub const VERSION: u32 = 1;

/// The exported symbol: a function of type [`Entry`].
pub const SYMBOL: &str = "jail_plugin_v1";

/// [`Descriptor::flags`]: a panic ends the process. Such a plugin is not loaded.
pub const ABORTS_ON_PANIC: u64 = 1;

/// The most bytes of a reply that a host takes.
pub const REPLY_LIMIT: usize = 4 << 20;

/// What a plugin is. The first four members are the same in every version to come.
#[repr(C)]
#[derive(Debug)]
pub struct Descriptor {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`VERSION`].
    pub version: u32,
    /// Its own size in bytes, at least this struct's: members may be added at the end.
    pub size: u32,
    /// One line for a person that says what was built by what; UTF-8, NUL-terminated, may be NULL.
    pub build: *const c_char,
    /// [`ABORTS_ON_PANIC`] or 0; unknown bits are ignored.
    pub flags: u64,
    /// Answers one request. See [`Call`].
    pub call: Option<Call>,
    /// Frees what `call` put into a reply.
    pub release: Option<Release>,
}

// SAFETY: a descriptor is immutable for the life of the process and points only to static data and to functions that
// the contract says may be called on any thread.
unsafe impl Sync for Descriptor {}

/// The bytes of a reply: allocated by the plugin, freed by its `release`.
#[repr(C)]
#[derive(Debug)]
pub struct Reply {
    /// UTF-8 JSON.
    pub data: *mut u8,
    /// How many bytes.
    pub len: usize,
}

/// The exported function. It may be called on any thread and answers a descriptor that lives as long as the process.
pub type Entry = unsafe extern "C" fn() -> *const Descriptor;

/// Answers the request `data[..len]` to `method`, a NUL-terminated name, in `reply`.
///
/// `netns` is a network namespace, open until the call returns, or -1. Calls come on any thread, several at a time.
pub type Call =
    unsafe extern "C" fn(method: *const c_char, data: *const u8, len: usize, netns: c_int, reply: *mut Reply);

/// Frees the reply of one call.
pub type Release = unsafe extern "C" fn(reply: *mut Reply);
