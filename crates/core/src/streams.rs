//! A jail's standard descriptors: what of the caller's it gets as it is, what through a pipe or a terminal of its own.
//!
//! A program inside may open /dev/stdout and /dev/stderr. What the host owns behind them (a pipe, a file, a terminal)
//! it may not, so it gets a pipe that is the jail's own, and the supervisor copies. A file behind its input that it may
//! open for writing is copied as well: a descriptor to read from is none to write to. An interactive jail gets a terminal
//! of its own for the same reasons, and because the outer one must stay out of its reach.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use jail_sys::call::terminal;
use jail_sys::{Failure, IdMap};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat};
use nix::unistd::{AccessFlags, Gid, Uid, access, fchown, getpgrp, isatty, tcgetpgrp};

use crate::caller::Caller;

/// Where a jail's input comes from and its output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// The caller's own, copied where the jail could not open them; a terminal of its own when it is interactive. The
    /// small supervisor does the copying, so this is for who [hands over](crate::Running::hand_over) to it.
    Caller,
    /// Nowhere.
    Null,
}

/// The standard descriptors of a jail, and what the supervisor does for them.
#[derive(Debug, Default)]
pub(crate) struct Wired {
    /// What the command gets as 0, 1 and 2; `None` keeps the caller's.
    pub(crate) stdio: [Option<RawFd>; 3],
    /// The master of its own terminal.
    pub(crate) terminal: Option<OwnedFd>,
    /// Pipes of the jail's output, and the caller's descriptor each is copied to.
    pub(crate) outputs: Vec<(OwnedFd, RawFd)>,
    /// The pipe that the caller's standard input is copied to.
    pub(crate) input: Option<OwnedFd>,
    /// The jail's ends, to be closed once the command runs.
    pub(crate) inside: Vec<OwnedFd>,
}

impl Wired {
    /// Wires a jail with these ids, whose command runs as `user` and `group` of them, and whose terminals are in `devpts`.
    pub(crate) fn new(
        streams: Streams,
        ids: &IdMap,
        (user, group): (u32, u32),
        devpts: BorrowedFd<'_>,
    ) -> Result<Self, Failure> {
        let wired = match streams {
            Streams::Null => Wired::to_null(),
            Streams::Caller => {
                let caller = Caller::now();
                Wired::to_caller(caller, ids, caller.owner_of(ids, user, group), devpts)
            }
        };
        wired.map_err(|error| Failure::call("command", "open", "standard input and output", &error))
    }

    /// The same once the command runs: the jail's ends are closed here.
    pub(crate) fn started(mut self) -> Self {
        self.inside.clear();
        self
    }

    /// What the supervisor copies: from, to.
    pub(crate) fn relays(&self) -> Vec<(RawFd, RawFd)> {
        let outputs = self.outputs.iter().map(|(from, to)| (from.as_raw_fd(), *to));
        outputs.chain(self.input.iter().map(|to| (0, to.as_raw_fd()))).collect()
    }

    fn to_null() -> io::Result<Self> {
        let null = null()?;
        Ok(Wired { stdio: [Some(null.as_raw_fd()); 3], inside: vec![null], ..Wired::default() })
    }

    fn to_caller(caller: Caller, ids: &IdMap, owner: (u32, u32), devpts: BorrowedFd<'_>) -> io::Result<Self> {
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let mut wired = Wired::default();
        let typed = isatty(&stdin).unwrap_or(false);
        let foreground = typed && tcgetpgrp(&stdin).is_ok_and(|group| group == getpgrp());
        if foreground && isatty(&stdout).unwrap_or(false) {
            wired.own_terminal(devpts, stdin.as_fd(), owner)?;
        } else if foreground {
            wired.copy_input()?;
        } else if typed || is_directory(stdin.as_fd())? {
            // Reading from a terminal in the background would stop whoever reads; a directory is a way out.
            wired.give(0, null()?);
        } else if is_the_jails(stdin.as_fd(), caller, ids)? {
            wired.copy_input()?;
        }
        wired.copy_output(1, stdout.as_fd(), owner)?;
        let one_file = same_file(stdout.as_fd(), stderr.as_fd())?;
        match wired.stdio[1] {
            // One pipe for both keeps what is written to them in order.
            Some(shared) if one_file => wired.stdio[2] = Some(shared),
            _ => wired.copy_output(2, stderr.as_fd(), owner)?,
        }
        Ok(wired)
    }

    fn own_terminal(
        &mut self,
        devpts: BorrowedFd<'_>,
        outer: BorrowedFd<'_>,
        (uid, _): (u32, u32),
    ) -> io::Result<()> {
        let (master, slave) = terminal::open(devpts)?;
        fchown(&slave, Some(Uid::from_raw(uid)), None)?;
        terminal::copy_size(outer, master.as_fd())?;
        let slave_number = slave.as_raw_fd();
        self.terminal = Some(master);
        self.give(0, slave);
        self.stdio[1] = Some(slave_number);
        if isatty(io::stderr()).unwrap_or(false) {
            self.stdio[2] = Some(slave_number);
        }
        Ok(())
    }

    /// A pipe in place of an input. Of a terminal, for whoever has that itself reads what is typed later, too.
    fn copy_input(&mut self) -> io::Result<()> {
        let (reader, writer) = io::pipe()?;
        self.input = Some(writer.into());
        self.give(0, reader.into());
        Ok(())
    }

    /// A pipe of the jail's own in place of an output that it could not open by its name in /dev.
    fn copy_output(
        &mut self,
        number: usize,
        output: BorrowedFd<'_>,
        (uid, gid): (u32, u32),
    ) -> io::Result<()> {
        if self.stdio[number].is_some() || anyone_may_open(output)? {
            return Ok(());
        }
        let (reader, writer) = io::pipe()?;
        fchown(&writer, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        // Any user of the jail's: a server's workers open their log as well.
        fchmod(&writer, Mode::from_bits_truncate(0o622))?;
        self.outputs.push((reader.into(), output.as_raw_fd()));
        self.give(number, writer.into());
        Ok(())
    }

    fn give(&mut self, number: usize, end: OwnedFd) {
        self.stdio[number] = Some(end.as_raw_fd());
        self.inside.push(end);
    }
}

fn null() -> io::Result<OwnedFd> {
    std::fs::File::options().read(true).write(true).open("/dev/null").map(OwnedFd::from)
}

/// Whether a process of the jail's, a stranger to the host, may open what is behind this descriptor for writing. A
/// socket nobody can open by name.
fn anyone_may_open(output: BorrowedFd<'_>) -> io::Result<bool> {
    let stat = fstat(output)?;
    let kind = SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits());
    Ok(match kind {
        SFlag::S_IFCHR => stat.st_mode & 0o002 != 0 && !isatty(output).unwrap_or(false),
        SFlag::S_IFSOCK => true,
        _ => false,
    })
}

/// Whether a jail with these ids may open the file behind its input for writing, or change its mode: as its owner or
/// one of its group, as anybody, or because it may what the user may who starts it.
fn is_the_jails(input: BorrowedFd<'_>, caller: Caller, ids: &IdMap) -> io::Result<bool> {
    const NUMBER: &str = "/proc/self/fd/0";
    let stat = fstat(input)?;
    let named = match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG | SFlag::S_IFBLK => true,
        // One without a name is nobody's who does not have it already.
        SFlag::S_IFIFO => std::fs::read_link(NUMBER)?.is_absolute(),
        _ => false,
    };
    let owned = ids.to_jail(stat.st_uid).is_some();
    Ok(named
        && (owned
            || match caller {
                Caller::Root => {
                    let group = stat.st_mode & 0o020 != 0 && ids.to_jail(stat.st_gid).is_some();
                    group || stat.st_mode & 0o002 != 0
                }
                Caller::User { .. } => access(NUMBER, AccessFlags::W_OK).is_ok(),
            }))
}

fn is_directory(input: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(SFlag::from_bits_truncate(fstat(input)?.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFDIR)
}

fn same_file(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> io::Result<bool> {
    let (one, other) = (fstat(one)?, fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}
