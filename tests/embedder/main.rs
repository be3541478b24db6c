//! A program that embeds `jail-core` and never rests: threads that allocate, log, take locks, run programs and open files
//! without pause, while jails are started from several threads at once, every other one from a thread that ends right
//! after, and one more joins a jail again and again. `embedder STARTS` prints what came of it; the exit status is 1 if a start or a join failed, a jail ended by itself,
//! something was left behind, or it took too long. `make stress` runs it with many, the end-to-end tests with few.
#![forbid(unsafe_code)]

mod noise;

use std::collections::VecDeque;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use jail_core::{Failure, Place, Plan, Running, Spec, Streams, find, join, start};
use noise::Noise;

/// Threads that start jails.
const STARTERS: usize = 4;

/// Jails that each of them keeps running: each jail lives through so many starts of its starter's.
const LIVING: usize = 8;

/// Longer than any number of starts that is sensible here takes: it hangs.
const PATIENCE: Duration = Duration::from_secs(540);

fn main() -> ExitCode {
    let (tell, told) = channel();
    thread::spawn(move || {
        // Who waits no longer is told nothing.
        let _ = tell.send(run().map_err(|error| error.to_string()));
    });
    let word = match told.recv_timeout(PATIENCE) {
        Ok(Ok(summary)) => Ok(summary),
        Ok(Err(error)) => Err(error),
        Err(RecvTimeoutError::Timeout) => Err(format!("it hangs: not done after {PATIENCE:?}")),
        Err(RecvTimeoutError::Disconnected) => Err("it panicked".to_owned()),
    };
    match word {
        Ok(summary) => {
            let _ = writeln!(std::io::stdout(), "{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "embedder: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, Box<dyn Error>> {
    let wanted: usize = std::env::args().nth(1).ok_or("say how many starts")?.parse()?;
    let place = Place::new(None, &[])?;
    // Once without noise: what is opened or mapped once and for all is no leak.
    end(start_one(&place, "first")?.0)?;
    let before = open_descriptors()?;
    let begin = Instant::now();
    let noise = Noise::begin();
    let next = AtomicUsize::new(0);
    let done = AtomicBool::new(false);
    let (joined, _) = start_one(&place, "joined")?;
    let (times, joins) = thread::scope(|scope| {
        let joiner = scope.spawn(|| joiner(&place, &done));
        let starters: Vec<_> =
            (0..STARTERS).map(|_| scope.spawn(|| starter(&place, &next, wanted))).collect();
        let times = starters
            .into_iter()
            .map(|starter| starter.join().map_err(|_| "a starter panicked".to_owned())?)
            .collect::<Result<Vec<_>, String>>();
        done.store(true, Ordering::Relaxed);
        (times, joiner.join().map_err(|_| "the joiner panicked".to_owned()).flatten())
    });
    end(joined)?;
    let rounds = noise.end();
    let (mut times, joins) = (times?.concat(), joins?);
    times.sort_unstable();
    let left = fs::read_dir(place.state_dir.join("jails"))?.count();
    let (children, after) = (children()?, open_descriptors()?);
    if left != 0 || !children.is_empty() || after != before {
        let told =
            format!("{left} jails, children '{children}', {before} descriptors before and {after} after");
        return Err(format!("something is left: {told}").into());
    }
    let (middle, last) = (times[times.len() / 2], times[times.len() - 1]);
    Ok(format!(
        "{} starts in {:.1?}, half of them from threads that ended: none failed, none ended by itself, nothing is left\n\
         a start took {middle:.1?} (median), {last:.1?} (longest), {STARTERS} at a time beside {joins} joins, {rounds}",
        times.len(),
        begin.elapsed()
    ))
}

/// Starts jails until there are enough, and answers how long each start took.
fn starter(place: &Place, next: &AtomicUsize, wanted: usize) -> Result<Vec<Duration>, String> {
    let told = |number: usize| move |failure: Failure| format!("start {number}: {failure}");
    let (mut living, mut times) = (VecDeque::new(), Vec::new());
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= wanted || living.len() > LIVING {
            let Some((number, jail)) = living.pop_front() else { return Ok(times) };
            alive(&jail).map_err(|why| format!("jail {number}: {why}"))?;
            end(jail).map_err(told(number))?;
        }
        if number >= wanted {
            continue;
        }
        let name = format!("jail-{number}");
        let started = match number % 2 {
            0 => start_one(place, &name),
            _ => thread::scope(|scope| scope.spawn(|| start_one(place, &name)).join())
                .map_err(|_| format!("start {number} panicked"))?,
        };
        let (jail, took) = started.map_err(told(number))?;
        living.push_back((number, jail));
        times.push(took);
    }
}

/// Joins a jail until the others are done, and answers how often.
fn joiner(place: &Place, done: &AtomicBool) -> Result<usize, String> {
    let mut joins = 0;
    while !done.load(Ordering::Relaxed) {
        let status =
            on_a_runtime(async { join(&find(place, "joined")?, &["true".to_owned()]).await?.wait().await });
        match status.map_err(|failure| format!("join {joins}: {failure}"))? {
            0 => joins += 1,
            status => return Err(format!("join {joins} exited with {status}")),
        }
    }
    Ok(joins)
}

fn start_one(place: &Place, name: &str) -> Result<(Running, Duration), Failure> {
    let begin = Instant::now();
    let mut spec = Spec::default();
    spec.name = Some(name.to_owned());
    spec.command = vec!["/bin/sleep".to_owned(), "inf".to_owned()];
    let running = on_a_runtime(async {
        let planned = Plan::make(&spec, place).await?;
        start(&planned, place, Streams::Null, &mut []).await
    })?;
    Ok((running, begin.elapsed()))
}

fn end(jail: Running) -> Result<(), Failure> {
    on_a_runtime(jail.end())
}

/// A runtime of this thread's own, gone when it returns: what was started does not depend on it.
fn on_a_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::call("state", "epoll_create", "runtime", &error))?.block_on(work)
}

/// Its first process and its command are there, and neither is a zombie.
fn alive(jail: &Running) -> Result<(), String> {
    let init = jail.status().pid;
    let children = fs::read_to_string(format!("/proc/{init}/task/{init}/children")).unwrap_or_default();
    for pid in [&init.to_string(), children.trim()] {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        if !matches!(state, Some('S' | 'R' | 'D')) {
            return Err(format!("it has ended by itself: process '{pid}' is '{stat}'"));
        }
    }
    Ok(())
}

fn open_descriptors() -> std::io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

/// The children of every thread.
fn children() -> std::io::Result<String> {
    let mut all = String::new();
    for task in fs::read_dir("/proc/self/task")? {
        // A thread that ended meanwhile has none.
        all.push_str(&fs::read_to_string(task?.path().join("children")).unwrap_or_default());
    }
    Ok(all)
}
