//! Waiting for a descriptor in a tokio runtime. With the feature `tokio` only: a program that blocks needs none of it.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Waits until `file` has something to read, its end included; for a pidfd, until the process has ended. The runtime has
/// I/O enabled. See epoll(7).
///
/// # Errors
/// What epoll_ctl(2) answers.
pub async fn readable(file: OwnedFd) -> io::Result<()> {
    // SAFETY: the watch owns the descriptor, which is neither replaced nor closed before the watch is dropped.
    let watch =
        unsafe { AsyncFd::register_with_interest(file, Interest::READABLE) }.map_err(io::Error::other)?;
    watch.readable().await.map(|_| ())
}
