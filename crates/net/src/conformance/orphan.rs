//! A program that goes on when whoever started it has been killed: this test program again, with one in its backend's
//! way that takes its time.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::{Case, Jail, Must, Net, Subject, World, wait};
use crate::backend::{Actions, Detach};
use crate::model::Egress::Deny;

/// What the killed process was about to do, and on which lock.
#[derive(Clone, Copy)]
struct Killed {
    work: &'static str,
    same_lock: bool,
    /// What its programs do before they are what they are.
    first: &'static str,
}

/// The processes that are left.
struct Orphans {
    alive: File,
    _dir: TempDir,
}

impl Orphans {
    /// Waits until the last one has ended.
    fn ended(mut self) {
        self.alive.read_to_end(&mut Vec::new()).must();
    }
}

/// Whether this process is the one that a test started to kill: then it has done its work, in case it still lives.
fn was_the_killed_one(case: &Case<'_>) -> bool {
    let Ok(work) = std::env::var("KILLED_WORK") else { return false };
    let of = |name| std::env::var(name).must();
    let (host, jail) = (Net::at(&of("HOST_NET")), Net::at(&of("JAIL_NET")));
    let actions: Actions = serde_json::from_str(&of("ACTIONS")).must();
    let id = of("JAIL").parse().must();
    let backend = (case.subject.backend)(of("LOCKS").as_ref(), of("PROGRAMS").as_ref());
    host.enter(|| match work.as_str() {
        "attach" => wait(backend.attach(&actions, jail.as_fd())).map(drop),
        _ => wait(backend.detach(&id, Some(&actions.undo), Detach { wait: false, last: true })),
    })
    .must();
    true
}

/// Starts it, and kills it as soon as all its programs run.
fn kill(killed: Killed, case: &Case<'_>, world: &World<'_>, jail: &Jail) -> Orphans {
    let dir = tempfile::tempdir().must();
    let alive = dir.path().join("alive");
    mkfifo(&alive, Mode::S_IRWXU).must();
    stand_in(case.subject, dir.path(), killed.first);
    let locks = if killed.same_lock { world.run.path() } else { dir.path() };
    let mut command = Command::new(std::env::current_exe().must());
    let test = case.name.split_once("::").map_or(case.name, |(_crate, test)| test);
    command.args(["--exact", test]).stdout(Stdio::null());
    command.env("LOCKS", locks).env("PROGRAMS", dir.path());
    command.env("HOST_NET", world.host.path()).env("JAIL_NET", jail.net.path());
    command.env("JAIL", jail.want.jail.to_string()).env("KILLED_WORK", killed.work);
    command.env("ACTIONS", serde_json::to_string(&world.plan(jail)).must());
    let mut child = command.spawn().must();
    let mut alive = File::open(alive).must();
    let programs = if killed.work == "attach" { 2 } else { 1 };
    alive.read_exact(&mut vec![0; programs]).must();
    child.kill().must();
    child.wait().must();
    Orphans { alive, _dir: dir }
}

/// Says one byte when it starts, and holds the pipe open until it ends.
fn stand_in(subject: &Subject, dir: &Path, first: &str) {
    let file = dir.join(subject.program);
    let script = format!(
        "#!/bin/sh\nexec 9>{}/alive\nprintf . >&9\n{first}\nexec {} \"$@\"\n",
        dir.display(),
        subject.real
    );
    fs::write(&file, script).must();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).must();
}

pub fn nothing_of_a_killed_start_comes_after_its_detach_or_gc(case: &Case<'_>) {
    if was_the_killed_one(case) {
        return;
    }
    let Some(world) = case.world() else { return };
    let alive = world.attached(10, &["80"], Deny);
    let removals: [&dyn Fn(&Jail); 3] =
        [&|dead| world.detach(dead, false), &|dead| world.detach_without_undo(dead), &|_| {
            drop(world.gc(std::slice::from_ref(&alive.want.jail)));
        }];
    for (number, remove) in (11..).zip(removals) {
        let dead = world.jail(number, &["81"], Deny);
        let left = |same_lock| {
            let orphans = kill(Killed { work: "attach", same_lock, first: "sleep 0.7" }, case, &world, &dead);
            remove(&dead);
            orphans.ended();
            world.rules().contains(dead.want.jail.as_str())
        };
        assert!(left(false), "canary");
        world.detach(&dead, false);
        dead.net.sh(case.subject.flush);
        assert!(!left(true));
    }
    assert!(world.check(&alive).differences.is_empty());
}

pub fn a_killed_removal_of_what_is_shared_takes_it_from_no_jail_that_starts(case: &Case<'_>) {
    if was_the_killed_one(case) {
        return;
    }
    let Some(world) = case.world() else { return };
    for (number, same_lock) in [(20, false), (22, true)] {
        let last = world.attached(number, &["80"], Deny);
        let orphans = kill(Killed { work: "detach", same_lock, first: "sleep 0.7" }, case, &world, &last);
        let next = world.attached(number + 1, &["81"], Deny);
        orphans.ended();
        assert_eq!(world.check(&next).differences.is_empty(), same_lock, "without the lock a canary");
        world.detach(&next, true);
    }
}

pub fn a_program_that_hangs_when_its_starter_was_killed_is_ended(case: &Case<'_>) {
    if was_the_killed_one(case) {
        return;
    }
    let Some(world) = case.world() else { return };
    let last = world.attached(30, &["80"], Deny);
    let hangs = Killed { work: "detach", same_lock: true, first: "exec sleep 1000" };
    let orphans = kill(hangs, case, &world, &last);
    let next = world.attached(31, &["81"], Deny);
    orphans.ended();
    assert!(world.check(&next).differences.is_empty());
    world.detach(&next, false);
}
