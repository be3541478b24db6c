//! Pseudo-terminals of a devpts that is mounted nowhere we can see: the jail's own.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use super::fd::{open_in_root, owned};
use super::process::answer;
use crate::kernel;

/// A new pseudo-terminal of this devpts mount: master and slave, both close-on-exec. See pty(7), `TIOCGPTPEER`.
///
/// # Errors
/// What openat2(2) and ioctl(2) answer.
pub fn open(devpts: BorrowedFd<'_>) -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = libc::O_RDWR | libc::O_NOCTTY;
    let master = open_in_root(devpts, Path::new("ptmx"), flags, 0)?;
    let unlocked: libc::c_int = 0;
    answer(kernel::ioctl(master.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlocked as usize))?;
    let flags = (flags | libc::O_CLOEXEC) as usize;
    let slave = owned(kernel::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags))?;
    Ok((master, slave))
}

/// Gives `to` the window size of `from`.
///
/// # Errors
/// What ioctl(2) answers; `ENOTTY` if one is no terminal.
pub fn copy_size(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<()> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    answer(kernel::ioctl(from.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size as usize))?;
    answer(kernel::ioctl(to.as_raw_fd(), libc::TIOCSWINSZ, &raw const size as usize)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn what_is_written_to_the_slave_arrives_at_the_master() {
        let devpts = crate::call::mount::new_mount("devpts", &[("newinstance", ""), ("ptmxmode", "0666")], 0)
            .expect("run as root: the test mounts a devpts");
        let (master, slave) = open(devpts.as_fd()).unwrap();
        File::from(slave).write_all(b"hello").unwrap();
        let mut text = [0; 5];
        File::from(master).read_exact(&mut text).unwrap();
        assert_eq!(&text, b"hello");
    }
}
