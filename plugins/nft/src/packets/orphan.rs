//! An nft that goes on when whoever started it has been killed: this test program again, with an nft in its PATH that
//! takes its time.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use jail_net::backend::{Actions, Backend, Detach};
use jail_net::model::Egress::Deny;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::net::Net;
use super::world;
use super::world::{Jail, World, wait};
use crate::{Nft, run};

/// An orphan holds up all the others' starts or removals for its second: one test at a time.
static TURN: Mutex<()> = Mutex::new(());

/// What the killed process was about to do, in which test's name, and on which lock.
#[derive(Clone, Copy)]
struct Killed {
    work: &'static str,
    test: &'static str,
    same_lock: bool,
    /// What its nft does before it is nft.
    first: &'static str,
}

/// The nft processes that are left.
struct Orphans {
    alive: File,
    _dir: TempDir,
}

impl Orphans {
    /// Waits until the last one has ended.
    fn ended(mut self) {
        self.alive.read_to_end(&mut Vec::new()).unwrap();
    }
}

/// Whether this process is the one that a test started to kill: then it has done its work, in case it still lives.
fn was_the_killed_one() -> bool {
    let Ok(work) = std::env::var("KILLED_WORK") else { return false };
    let of = |name| std::env::var(name).unwrap();
    let (host, jail) = (Net::at(&of("HOST_NET")), Net::at(&of("JAIL_NET")));
    let actions: Actions = serde_json::from_str(&of("ACTIONS")).unwrap();
    let id = of("JAIL").parse().unwrap();
    host.enter(|| match work.as_str() {
        "attach" => wait(Nft.attach(&actions, jail.as_fd())).map(drop),
        _ => wait(Nft.detach(&id, Some(&actions.undo), Detach { wait: false, last: true })),
    })
    .unwrap();
    true
}

/// Starts it, and kills it as soon as all its nfts run.
fn kill(killed: Killed, world: &World, jail: &Jail) -> Orphans {
    let dir = tempfile::tempdir().unwrap();
    let alive = dir.path().join("alive");
    mkfifo(&alive, Mode::S_IRWXU).unwrap();
    slow_nft(dir.path(), killed.first);
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", killed.test]).env("PATH", path).stdout(Stdio::null());
    command.env("HOST_NET", world.host.path()).env("JAIL_NET", jail.net.path());
    command.env("JAIL", jail.want.jail.to_string()).env("KILLED_WORK", killed.work);
    command.env("ACTIONS", serde_json::to_string(&world.plan(jail)).unwrap());
    if !killed.same_lock {
        command.env("JAIL_NFT_TEST_DIR", dir.path());
    }
    let mut child = command.spawn().unwrap();
    let mut alive = File::open(alive).unwrap();
    let nfts = if killed.work == "attach" { 2 } else { 1 };
    alive.read_exact(&mut vec![0; nfts]).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    Orphans { alive, _dir: dir }
}

/// Says one byte when it starts, and holds the pipe open until it ends.
fn slow_nft(dir: &Path, first: &str) {
    let file = dir.join("nft");
    let real = run::find().unwrap();
    let script = format!(
        "#!/bin/sh\nexec 9>{}/alive\nprintf . >&9\n{first}\nexec {} \"$@\"\n",
        dir.display(),
        real.display()
    );
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn nothing_of_a_killed_start_comes_after_its_detach_or_gc() {
    let test = "packets::orphan::nothing_of_a_killed_start_comes_after_its_detach_or_gc";
    if was_the_killed_one() {
        return;
    }
    let Some(world) = world() else { return };
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let alive = world.attached(10, &["80"], Deny);
    let removals: [&dyn Fn(&Jail); 3] =
        [&|dead| world.detach(dead, false), &|dead| world.detach_without_undo(dead), &|_| {
            drop(world.gc(std::slice::from_ref(&alive.want.jail)));
        }];
    for (number, remove) in (11..).zip(removals) {
        let dead = world.jail(number, &["81"], Deny);
        let left = |same_lock| {
            let orphans = kill(Killed { work: "attach", test, same_lock, first: "sleep 0.7" }, &world, &dead);
            remove(&dead);
            orphans.ended();
            world.rules().contains(dead.want.jail.as_str())
        };
        assert!(left(false), "canary");
        world.detach(&dead, false);
        dead.net.sh("nft flush ruleset");
        assert!(!left(true));
    }
    assert!(world.check(&alive).differences.is_empty());
}

#[test]
fn a_killed_removal_of_the_tables_takes_them_from_no_jail_that_starts() {
    let test = "packets::orphan::a_killed_removal_of_the_tables_takes_them_from_no_jail_that_starts";
    if was_the_killed_one() {
        return;
    }
    let Some(world) = world() else { return };
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for (number, same_lock) in [(20, false), (22, true)] {
        let last = world.attached(number, &["80"], Deny);
        let orphans = kill(Killed { work: "detach", test, same_lock, first: "sleep 0.7" }, &world, &last);
        let next = world.attached(number + 1, &["81"], Deny);
        orphans.ended();
        assert_eq!(world.check(&next).differences.is_empty(), same_lock, "without the lock a canary");
        world.detach(&next, true);
    }
}

#[test]
fn an_nft_that_hangs_when_its_starter_was_killed_is_ended() {
    let test = "packets::orphan::an_nft_that_hangs_when_its_starter_was_killed_is_ended";
    if was_the_killed_one() {
        return;
    }
    let Some(world) = world() else { return };
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let last = world.attached(30, &["80"], Deny);
    let hangs = Killed { work: "detach", test, same_lock: true, first: "exec sleep 1000" };
    let orphans = kill(hangs, &world, &last);
    let next = world.attached(31, &["81"], Deny);
    orphans.ended();
    assert!(world.check(&next).differences.is_empty());
    world.detach(&next, false);
}
