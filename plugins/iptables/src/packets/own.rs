//! What only this backend must do: leave other people's rules and the kernel's chains as they were, and undo what only
//! one of two tables or programs has taken.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use jail_firewall::Place;
use jail_net::backend::{Backend, Detach};
use jail_net::conformance::{Case, Subject, World, wait};
use jail_net::model::Egress::{Allow, Deny};

use super::{LEGACY, NFT, choose};
use crate::Iptables;

fn world(subject: &Subject) -> Option<World<'_>> {
    (Case { subject, name: "" }).world()
}

/// A script in the way of a program, for this world.
fn stand_in(world: &World<'_>, program: &str, script: &str) {
    let file = world.run.path().join(program);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_one_of_two_tables_has_taken_is_taken_back_when_the_other_refuses() {
    for (subject, real) in [(&LEGACY, "iptables-legacy-restore"), (&NFT, "iptables-nft-restore")] {
        let Some(world) = world(subject) else { return };
        let before = world.rules();
        let web = world.jail(10, &["80"], Deny);
        let half = "text=$(cat); case $text in *nat*) echo \"${text%%[*]nat*}\" | REAL \"$@\"; echo no nat >&2; exit 2;; esac
             echo \"$text\" | exec REAL \"$@\"";
        stand_in(&world, "iptables-restore", &half.replace("REAL", real));
        let failure = world.attach(&web).unwrap_err();
        assert_eq!(failure.message, "iptables-restore refused the rules: no nat");
        assert_eq!(world.rules(), before);
        fs::remove_file(world.run.path().join("iptables-restore")).unwrap();
        world.attach(&web).unwrap();
    }
}

#[test]
fn what_is_made_on_the_host_is_taken_back_when_the_jails_own_rules_are_refused() {
    for subject in [&LEGACY, &NFT] {
        let Some(world) = world(subject) else { return };
        let other = world.attached(11, &["443"], Deny);
        let before = world.rules();
        let web = world.jail(10, &["80"], Deny);
        stand_in(&world, "ip6tables-restore", "echo not today >&2; exit 1");
        assert!(world.attach(&web).unwrap_err().message.ends_with("not today"));
        assert_eq!(world.rules(), before);
        assert!(!web.net.sh(subject.list).contains("REJECT"), "nor is anything left inside");
        assert!(world.check(&other).differences.is_empty());
    }
}

#[test]
fn a_lock_that_somebody_holds_on_to_is_told_in_time_and_nothing_is_left() {
    let Some(world) = world(&LEGACY) else { return };
    let before = world.rules();
    let web = world.jail(10, &["80"], Deny);
    let name = world.run.path().join("xtables.lock");
    let lock = fs::File::create(&name).unwrap();
    for program in ["iptables-restore", "ip6tables-restore"] {
        let real = program.replace("tables", "tables-legacy");
        stand_in(&world, program, &format!("XTABLES_LOCKFILE={} exec {real} \"$@\"", name.display()));
    }
    lock.lock().unwrap();
    let started = std::time::Instant::now();
    let failure = world.attach(&web).unwrap_err();
    assert!(started.elapsed().as_secs() < 10, "a plugin is not waited for any longer");
    assert!(failure.message.contains("its lock, /run/xtables.lock"), "{failure}");
    lock.unlock().unwrap();
    assert_eq!(world.rules(), before);
    world.attach(&web).unwrap();
}

#[test]
fn tables_and_chains_that_were_there_stay_and_those_made_for_us_go() {
    let Some(world) = world(&NFT) else { return };
    world.host.sh("iptables-nft -N ADMIN; iptables-nft -A FORWARD -j ADMIN; nft add table ip nat");
    let before = world.rules();
    let web = world.attached(10, &["80"], Deny);
    assert!(world.rules().contains("chain INPUT"), "made for us");
    world.detach(&web, true);
    assert_eq!(world.rules(), before);
}

#[test]
fn what_others_say_of_their_rules_is_theirs() {
    for (subject, variant) in [(&LEGACY, "legacy"), (&NFT, "nft")] {
        let Some(world) = world(subject) else { return };
        world.host.sh(&format!(
            "iptables-{variant} -w -N JAIL-OF-ANOTHER
             iptables-{variant} -w -A JAIL-OF-ANOTHER -m comment --comment '3fa04b11c20c not a jail' -j RETURN"
        ));
        let before = world.rules();
        let web = world.attached(10, &["80"], Deny);
        world.gc(std::slice::from_ref(&web.want.jail));
        assert!(world.rules().contains("3fa04b11c20c not a jail"));
        world.gc(&[]);
        assert_eq!(world.rules(), before);
    }
}

#[test]
fn a_chain_of_our_name_that_is_somebody_elses_stays_and_no_jail_is_given_it() {
    for (subject, variant) in [(&LEGACY, "legacy"), (&NFT, "nft")] {
        for chain in ["JAIL-HOST", "JAIL-GUARD"] {
            let Some(world) = world(subject) else { return };
            world.host.sh(&format!(
                "iptables-{variant} -w -N {chain}; iptables-{variant} -w -A {chain} -s 192.0.2.9 -j DROP
                 iptables-{variant} -w -A INPUT -j {chain}"
            ));
            let before = world.rules();
            assert!(world.gc(&[]).removed.is_empty());
            let web = world.jail(10, &["80"], Deny);
            let failure = world.attach(&web).unwrap_err();
            let said = format!("the chain {chain} of the table filter holds rules that jail did not make");
            assert!(failure.message.ends_with(&said) && failure.hint.contains("-E"), "{failure}");
            world.detach(&web, true);
            world.gc(&[]);
            assert_eq!(world.rules(), before);
        }
    }
}

#[test]
fn a_chain_of_ours_that_others_lead_to_is_theirs_and_keeps_nothing_else() {
    for (subject, variant) in [(&LEGACY, "legacy"), (&NFT, "nft")] {
        let Some(world) = world(subject) else { return };
        let web = world.attached(10, &["80"], Deny);
        world.host.sh(&format!("iptables-{variant} -w -A FORWARD -i eth9 -j JAIL-GUARD"));
        world.detach(&web, true);
        let ours = |world: &World<'_>| {
            let rules = world.host.sh(&format!("iptables-{variant}-save; ip6tables-{variant}-save"));
            rules.lines().filter(|line| line.contains("JAIL")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(ours(&world), [":JAIL-GUARD - [0:0]", "-A FORWARD -i eth9 -j JAIL-GUARD"]);
        assert!(world.gc(&[]).removed.is_empty(), "nothing of ours is left");
        let next = world.attached(11, &["80"], Deny);
        assert!(world.check(&next).differences.is_empty());
        world.host.sh(&format!("iptables-{variant} -w -D FORWARD -i eth9 -j JAIL-GUARD"));
        world.detach(&next, true);
        assert!(ours(&world).is_empty(), "{:?}", ours(&world));
    }
}

#[test]
fn whatever_chain_cannot_go_a_jails_own_rules_do() {
    for (subject, real) in [(&LEGACY, "iptables-legacy-restore"), (&NFT, "iptables-nft-restore")] {
        let Some(world) = world(subject) else { return };
        let web = world.attached(10, &["80"], Deny);
        let keeps = "text=$(cat); case $text in *-X*) echo no chain goes >&2; exit 2;; esac; echo \"$text\" | exec REAL \"$@\"";
        stand_in(&world, "iptables-restore", &keeps.replace("REAL", real));
        let failure = world.try_detach(&web, true).unwrap_err();
        assert!(failure.message.ends_with("no chain goes"), "{failure}");
        assert!(!world.rules().contains(web.want.jail.as_str()), "{}", world.rules());
        fs::remove_file(world.run.path().join("iptables-restore")).unwrap();
        world.detach(&web, true);
        assert!(!world.rules().contains("JAIL"));
    }
}

#[test]
fn rules_that_nobody_can_take_away_any_more_are_not_taken_for_none() {
    for subject in [&LEGACY, &NFT] {
        let Some(world) = world(subject) else { return };
        let before = world.rules();
        let web = world.attached(10, &["80"], Deny);
        let undo = world.plan(&web).undo;
        let run = world.run.path();
        let variant = subject.real.split('-').nth(1).unwrap();
        for (programs, missing) in [(vec![], "iptables-save"), (vec![choose(variant, run)], "nft")] {
            let backend = Iptables(Place { programs, run: run.into() });
            for last in [false, true] {
                let how = Detach { wait: true, last };
                let detach = || wait(backend.detach(&web.want.jail, Some(&undo), how));
                let failure = world.host.enter(detach).unwrap_err();
                assert!(failure.message.contains(&format!("no program {missing} in PATH")), "{failure}");
                assert!(failure.hint.starts_with("install"), "{failure}");
            }
        }
        world.detach(&web, true);
        assert_eq!(world.rules(), before);
    }
}

#[test]
fn what_others_put_into_a_chain_that_was_made_for_us_stays() {
    let Some(world) = world(&NFT) else { return };
    let web = world.attached(10, &["80"], Deny);
    world.host.sh("iptables-nft -A INPUT -s 192.0.2.9 -j DROP");
    world.detach(&web, true);
    let rules = world.rules();
    assert!(rules.contains("-A INPUT -s 192.0.2.9/32 -j DROP") && !rules.contains("JAIL"), "{rules}");
    assert!(!rules.contains("table ip nat"), "{rules}");
}

#[test]
fn what_was_made_by_one_variant_goes_when_the_other_is_chosen_since() {
    for (subject, chosen) in [(&LEGACY, "nft"), (&NFT, "legacy")] {
        let Some(world) = world(subject) else { return };
        let before = world.rules();
        let (web, db) = (world.attached(10, &["80"], Deny), world.attached(11, &[], Deny));
        for program in ["iptables", "ip6tables"] {
            for action in ["save", "restore"] {
                let real = Place::default().find(&format!("{program}-{chosen}-{action}")).unwrap();
                symlink(real, world.run.path().join(format!("{program}-{action}"))).unwrap();
            }
        }
        world.detach(&web, false);
        assert!(!world.rules().contains(web.want.jail.as_str()) && world.rules().contains("JAIL-TO"));
        drop(db);
        world.gc(&[]);
        assert_eq!(world.rules(), before);
    }
}

#[test]
fn the_legacy_variant_loads_no_table_that_a_jail_does_not_need() {
    let Some(world) = world(&LEGACY) else { return };
    let tables = |world: &World<'_>| {
        world.host.sh("cat /proc/thread-self/net/ip_tables_names /proc/thread-self/net/ip6_tables_names")
    };
    let web = world.attached(10, &[], Deny);
    assert_eq!(tables(&world), "filter\n");
    assert!(world.check(&web).differences.is_empty());
    assert_eq!(tables(&world), "filter\n", "asking loads none either");
}

#[test]
fn what_somebody_took_away_is_told_and_the_next_start_puts_back_what_is_shared() {
    for (subject, variant) in [(&LEGACY, "legacy"), (&NFT, "nft")] {
        let Some(world) = world(subject) else { return };
        let web = world.attached(10, &["80"], Allow);
        let iptables = |what: &str| world.host.sh(&format!("iptables-{variant} -w {what}"));
        iptables("-F JAIL-DENY");
        iptables("-I FORWARD 1 -s 192.0.2.9 -j ACCEPT");
        iptables("-t nat -D JAIL-PORTS 1");
        let told = world.check(&web).differences.join("\n");
        for words in
            ["JAIL-DENY", "FORWARD does not begin with JAIL-FORWARD", "-A JAIL-PORTS -p tcp", "is missing"]
        {
            assert!(told.contains(words), "{words} in {told}");
        }
        let db = world.attached(11, &["443"], Deny);
        assert!(world.check(&db).differences.is_empty());
        let forward = iptables("-S FORWARD");
        assert!(forward.lines().nth(1).is_some_and(|rule| rule.ends_with("-j JAIL-FORWARD")), "{forward}");
        assert!(forward.contains("192.0.2.9"), "{forward}");
    }
}

#[test]
fn jails_and_others_who_change_rules_at_once_take_none_from_each_other() {
    for (subject, variant) in [(&LEGACY, "legacy"), (&NFT, "nft")] {
        let Some(world) = world(subject) else { return };
        world.host.sh(subject.admin);
        let before = world.rules();
        let jails: Vec<_> = (20..26).map(|n| world.jail(n, &[&format!("80{n}")], Deny)).collect();
        std::thread::scope(|scope| {
            let admin = scope.spawn(|| {
                world.host.sh(&format!(
                    "for i in 1 2 3 4 5 6 7 8 9 10; do iptables-{variant} -w -A FORWARD -s 192.0.2.$i -j DROP
                     iptables-{variant} -w -t nat -A OUTPUT -d 192.0.2.$i -j ACCEPT; done"
                ))
            });
            let starts: Vec<_> = jails.iter().map(|jail| scope.spawn(|| world.attach(jail))).collect();
            starts.into_iter().for_each(|start| start.join().unwrap().unwrap());
            admin.join().unwrap();
        });
        assert!(jails.iter().all(|jail| world.check(jail).differences.is_empty()));
        jails.iter().for_each(|jail| world.detach(jail, false));
        let added: Vec<_> = (1..=10).map(|i| format!("-A FORWARD -s 192.0.2.{i}/32 -j DROP")).collect();
        let rules = world.rules();
        assert!(added.iter().all(|rule| rules.contains(rule)) && !rules.contains("JAIL-FORWARD"), "{rules}");
        world.host.sh(&format!("iptables-{variant} -w -t nat -F OUTPUT"));
        let left: Vec<_> =
            world.rules().lines().filter(|line| !line.contains("192.0.2.")).map(str::to_owned).collect();
        let were: Vec<_> = before.lines().map(str::to_owned).collect();
        assert!(were.iter().all(|line| left.contains(line)), "{left:#?}");
    }
}
