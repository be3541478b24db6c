//! Tries a plugin in a process of its own: one that ends the process that loads it, or never lets it end, is then told of
//! like any other, and what is loaded only to be looked at does not stay.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jail_sys::call::process::{self, Side};
use jail_sys::{Failure, Kind};
use nix::sys::signal::{Signal, kill};
use nix::unistd::getpid;

use super::load::readable_within;
use super::refuse::refuse;
use super::{DEADLINE, load};
use crate::backend::{Backend, Description, Support};

type Answer = Result<(Description, Support), Failure>;

/// Longer than loading and a call, which have their own deadline there.
const PATIENCE: Duration = Duration::from_secs(2 * DEADLINE.as_secs() + 1);

/// What the plugin says of itself and of this host; blocks until it has. A program with threads, which cannot fork, loads
/// the plugin itself.
pub(super) async fn try_out(path: &Path) -> Answer {
    let failed = |operation: &'static str| {
        move |error: io::Error| Failure::call("network", operation, path.display().to_string(), &error)
    };
    let (reader, writer) = io::pipe().map_err(failed("pipe2"))?;
    match process::fork() {
        Ok(Side::Child) => answer(path, writer),
        Ok(Side::Parent { child }) => {
            drop(writer);
            let answer = read(reader);
            // It may have ended by itself; how it ended is asked once it has.
            let _ = process::send_signal(child.as_fd(), libc::SIGKILL);
            understand(path, &answer.map_err(failed("read"))?, &child)
        }
        Err(error) if error.raw_os_error() == Some(libc::EBUSY) => here(path).await,
        Err(error) => Err(failed("fork")(error)),
    }
}

async fn here(path: &Path) -> Answer {
    let plugin = load(path)?;
    let support = plugin.probe().await?;
    Ok((plugin.describe(), support))
}

/// The new process: on a thread that is in no runtime yet. It ends without the destructors and handlers of the program
/// it is a copy of, and from that thread, which the loader's lock may keep from ending by itself.
fn answer(path: &Path, mut writer: PipeWriter) -> ! {
    let path = path.to_owned();
    let try_it = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let answer = runtime.map(|runtime| {
            let answer = runtime.block_on(here(&path));
            runtime.shutdown_background();
            answer
        });
        // Who is not there to read it does not miss it.
        let text = answer.and_then(|answer| serde_json::to_vec(&answer).map_err(io::Error::from));
        let _ = text.and_then(|text| writer.write_all(&text));
        end()
    };
    let _ = thread::Builder::new().spawn(try_it).map(thread::JoinHandle::join);
    end()
}

fn end() -> ! {
    loop {
        let _ = kill(getpid(), Signal::SIGKILL);
    }
}

/// What was written before the end of the file or of our patience.
fn read(mut reader: PipeReader) -> io::Result<Vec<u8>> {
    let end = Instant::now() + PATIENCE;
    let mut text = Vec::new();
    let mut some = [0; 4096];
    loop {
        if !readable_within(&reader, end.saturating_duration_since(Instant::now()))? {
            return Ok(text);
        }
        match reader.read(&mut some)? {
            0 => return Ok(text),
            read => text.extend_from_slice(&some[..read]),
        }
    }
}

fn understand(path: &Path, answer: &[u8], child: &OwnedFd) -> Answer {
    let ended = process::wait(child.as_fd());
    serde_json::from_slice(answer).unwrap_or_else(|_| {
        let how = match ended {
            Ok(ended) if ended.0 > 128 => format!(" (signal {})", ended.0 - 128),
            Ok(ended) => format!(" (exit status {})", ended.0),
            Err(_) => String::new(),
        };
        Err(refuse(Kind::Failed, path, format!("ends the program that loads it{how}")))
    })
}
