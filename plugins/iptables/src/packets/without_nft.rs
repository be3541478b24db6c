//! A host without nft: a jail is known by its bridge alone, so nothing but jails may be on it.

use std::path::Path;

use jail_firewall::Place;
use jail_net::backend::{Backend, Kind};
use jail_net::conformance::{Case, Jail, Subject, World, ours, wait};
use jail_net::model::Egress::{self, Allow, Deny};

use super::{LEGACY, NFT, choose};
use crate::Iptables;

fn without_nft(variant: &str, run: &Path) -> Box<dyn Backend> {
    Box::new(Iptables(Place { programs: vec![choose(variant, run)], run: run.into() }))
}

const SUBJECTS: [Subject; 2] = [
    Subject { backend: |run, _| without_nft("legacy", run), ..LEGACY },
    Subject { backend: |run, _| without_nft("nft", run), ..NFT },
];

/// A world whose bridge has no port that is no jail's.
fn world(subject: &Subject) -> Option<World<'_>> {
    let world = (Case { subject, name: "" }).world()?;
    world.host.sh("ip link del vm0");
    Some(world)
}

/// A jail on a bridge of ours.
fn jail(world: &World<'_>, number: u8, publish: &[&str], egress: Egress) -> Jail {
    let mut jail = world.jail(number, publish, egress);
    jail.want.attachments[0].network = ours();
    jail
}

fn attached(world: &World<'_>, number: u8, egress: Egress) -> Jail {
    let jail = jail(world, number, &[], egress);
    world.attach(&jail).unwrap();
    jail
}

#[test]
fn a_bridge_that_is_not_ours_is_refused_in_a_sentence() {
    for subject in &SUBJECTS {
        let Some(world) = world(subject) else { return };
        for egress in [Deny, Allow] {
            let web = world.jail(10, &[], egress);
            let backend = (subject.backend)(world.run.path(), world.run.path());
            let failure = world.host.enter(|| wait(backend.plan(&web.want))).unwrap_err();
            assert_eq!(failure.kind, Kind::Unsupported);
            assert_eq!(
                failure.message,
                "--net=br0: iptables alone cannot tell other machines on a bridge that jail did not make from a jail"
            );
            assert!(failure.hint.contains("install nftables"), "{failure}");
            world.host.sh(&format!("ip link del {}", web.want.attachments[0].host_interface));
        }
    }
}

#[test]
fn a_bridge_with_other_ports_is_refused_in_a_sentence_and_nothing_is_left() {
    for subject in &SUBJECTS {
        let Some(world) = (Case { subject, name: "" }).world() else { return };
        let before = world.rules();
        let web = jail(&world, 10, &["80"], Deny);
        let failure = world.attach(&web).unwrap_err();
        assert_eq!(failure.message, "--net=br0: iptables alone cannot tell vm0 on that bridge from a jail");
        assert_eq!(world.rules(), before);
    }
}

#[test]
fn a_jail_is_served_and_opens_nothing() {
    for subject in &SUBJECTS {
        let Some(world) = world(subject) else { return };
        let before = world.rules();
        let web = jail(&world, 10, &["80"], Deny);
        web.net.serve_tcp("0.0.0.0:80");
        world.host.serve_tcp("0.0.0.0:2222");
        world.lan.serve_tcp("0.0.0.0:80");
        let targets = ["10.10.20.1:2222", "192.0.2.1:2222", "192.168.77.2:80"];
        assert!(targets.iter().all(|target| web.net.tcp(target).is_ok()), "canary");
        world.attach(&web).unwrap();
        assert!(!world.rules().contains("table bridge"));
        assert_eq!(world.client.tcp("192.0.2.1:80").unwrap(), "192.0.2.2");
        assert_eq!(world.host.tcp("127.0.0.1:80").unwrap(), "10.10.20.1");
        assert!(targets.iter().all(|target| web.net.tcp(target).is_err()), "by its own rules");
        web.net.sh(subject.flush);
        assert!(targets.iter().all(|target| web.net.tcp(target).is_err()), "by the host's");
        web.net.sh("ip addr flush dev eth0; ip addr add 10.10.20.77/24 dev eth0
             ip route replace default via 10.10.20.1");
        assert!(targets.iter().all(|target| web.net.tcp(target).is_err()), "by another address neither");
        world.detach(&web, true);
        assert!(targets.iter().all(|target| web.net.tcp(target).is_ok()), "canary");
        assert_eq!(world.rules(), before);
    }
}

#[test]
fn a_jail_with_egress_goes_out_beside_one_without() {
    for subject in &SUBJECTS {
        let Some(world) = world(subject) else { return };
        world.lan.serve_tcp("0.0.0.0:80");
        let (db, web) = (attached(&world, 11, Deny), attached(&world, 10, Allow));
        let late = attached(&world, 12, Deny);
        for jail in [&db, &web, &late] {
            jail.net.sh(subject.flush);
        }
        assert_eq!(web.net.tcp("192.168.77.2:80").unwrap(), "192.168.77.1");
        assert!(db.net.tcp("192.168.77.2:80").is_err() && late.net.tcp("192.168.77.2:80").is_err());
        world.detach(&db, false);
        assert!(late.net.tcp("192.168.77.2:80").is_err() && web.net.tcp("192.168.77.2:80").is_ok());
    }
}

#[test]
fn ipv6_from_the_bridge_is_a_jails_too() {
    for subject in &SUBJECTS {
        let Some(world) = world(subject) else { return };
        world.host.sh("ip -6 addr add fd00::1/64 dev br0 nodad");
        world.host.serve_tcp("[::]:2222");
        let web = jail(&world, 10, &[], Deny);
        web.net.sh("ip -6 addr add fd00::10/64 dev eth0 nodad");
        assert!(web.net.tcp("[fd00::1]:2222").is_ok(), "canary");
        world.attach(&web).unwrap();
        web.net.sh(subject.flush);
        assert!(web.net.tcp("[fd00::1]:2222").is_err());
    }
}
