//! What else the program does meanwhile, on threads of its own.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// Threads that allocate, log and take locks.
const BUSY: usize = 8;

/// What the threads share, behind locks that somebody almost always holds.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    words: Mutex<HashMap<usize, String>>,
    log: Mutex<Option<File>>,
}

/// Threads that do something all the time.
pub(crate) struct Noise {
    shared: Arc<Shared>,
    busy: Vec<JoinHandle<usize>>,
    runs_programs: JoinHandle<usize>,
    opens_files: JoinHandle<usize>,
}

/// How often each did it.
pub(crate) struct Rounds {
    busy: usize,
    programs: usize,
    files: usize,
}

impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rounds { busy, programs, files } = self;
        write!(f, "{busy} lines logged by {BUSY} threads, {programs} programs run, {files} files opened")
    }
}

impl Noise {
    pub(crate) fn begin() -> Self {
        let shared =
            Arc::new(Shared { log: Mutex::new(File::create("/dev/null").ok()), ..Shared::default() });
        let run = |work: fn(&Shared, usize)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let mut round = 0;
                while !shared.stop.load(Ordering::Relaxed) {
                    work(&shared, round);
                    round += 1;
                }
                round
            })
        };
        let busy = (0..BUSY).map(|_| run(allocate_log_and_lock)).collect();
        let (runs_programs, opens_files) = (run(run_a_program), run(open_a_file));
        Noise { shared, busy, runs_programs, opens_files }
    }

    pub(crate) fn end(self) -> Rounds {
        self.shared.stop.store(true, Ordering::Relaxed);
        let rounds = |thread: JoinHandle<usize>| thread.join().unwrap_or(0);
        Rounds {
            busy: self.busy.into_iter().map(rounds).sum(),
            programs: rounds(self.runs_programs),
            files: rounds(self.opens_files),
        }
    }
}

fn allocate_log_and_lock(shared: &Shared, round: usize) {
    let word = format!("{round} {:?}", thread::current().id()).repeat(round % 50);
    let mut words = shared.words.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = words.insert(round % 1000, word)
        && let Some(log) = shared.log.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
    {
        let _ = writeln!(log, "{} instead of {before}", std::env::var("PATH").unwrap_or_default());
    }
}

/// By fork and exec both: a directory and groups are what std does not leave to posix_spawn.
fn run_a_program(_: &Shared, round: usize) {
    let mut command = Command::new("/bin/true");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    if round.is_multiple_of(2) {
        std::os::unix::process::CommandExt::uid(&mut command, 0);
    }
    let _ = command.output();
}

fn open_a_file(_: &Shared, _: usize) {
    let _ = (File::open("/etc/passwd"), std::io::pipe());
}
