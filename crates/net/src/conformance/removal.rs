//! What is left of a jail's rules: nothing, and of others' everything.

use super::{Case, Must};
use crate::model::Egress::{Allow, Deny};

pub fn the_hosts_rules_after_the_last_jail_are_those_before_the_first(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    world.host.sh(case.subject.admin);
    let before = world.rules();
    let (web, db) = (world.attached(10, &["80", "7000-7010"], Deny), world.jail(11, &["81"], Allow));
    let alone = world.rules();
    world.attach(&db).must();
    assert!(world.check(&web).differences.is_empty() && world.check(&db).differences.is_empty());
    world.detach(&db, false);
    assert_eq!(world.rules(), alone);
    world.detach(&db, false);
    world.detach(&web, true);
    assert_eq!(world.rules(), before);
    world.detach(&web, true);
}

pub fn what_is_removed_is_the_jails_own_and_never_its_successors(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let old = world.attached(10, &["80", "81"], Deny);
    let other = world.attached(11, &["443"], Deny);
    world.detach_without_undo(&old);
    assert!(world.check(&other).differences.is_empty());
    let mut new = world.jail(12, &["80"], Deny);
    new.want.attachments[0].addresses = old.want.attachments[0].addresses.clone();
    world.attach(&new).must();
    let now = world.rules();
    world.detach(&old, false);
    assert_eq!(world.rules(), now, "the address and the port are another jail's by now");
}

pub fn gc_removes_what_dead_jails_left_and_with_nobody_alive_everything(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let before = world.rules();
    let web = world.attached(10, &["80"], Deny);
    let alone = world.rules();
    let dead = world.attached(11, &["81", "7000-7010", "53/udp"], Allow);
    let reaped = world.gc(std::slice::from_ref(&web.want.jail));
    assert!(!reaped.removed.is_empty());
    assert!(reaped.removed.iter().all(|words| words.contains(dead.want.jail.as_str())), "{reaped:?}");
    assert_eq!(world.rules(), alone);
    assert!(world.gc(std::slice::from_ref(&web.want.jail)).removed.is_empty());
    assert!(!world.gc(&[]).removed.is_empty());
    assert_eq!(world.rules(), before);
    assert!(world.gc(&[]).removed.is_empty());
}

pub fn jails_that_start_and_stop_at_once_do_not_disturb_each_other(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let before = world.rules();
    let jails: Vec<_> = (20..32).map(|n| world.jail(n, &[&format!("80{n}")], Deny)).collect();
    std::thread::scope(|scope| {
        let starts: Vec<_> = jails.iter().map(|jail| scope.spawn(|| world.attach(jail))).collect();
        for start in starts {
            start.join().must().must();
        }
    });
    for jail in &jails {
        assert!(world.check(jail).differences.is_empty());
    }
    std::thread::scope(|scope| {
        for jail in &jails[1..] {
            scope.spawn(|| world.detach(jail, false));
        }
    });
    assert!(world.check(&jails[0]).differences.is_empty());
    world.detach(&jails[0], true);
    assert_eq!(world.rules(), before);
}
