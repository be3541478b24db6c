//! A host without nft: a jail is known by its bridge alone, so nothing but jails may be on it.

use std::path::Path;

use jail_firewall::Place;
use jail_net::backend::{Backend, Kind};
use jail_net::conformance::{Case, Subject, World};
use jail_net::model::Egress::{Allow, Deny};

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

#[test]
fn a_bridge_with_other_ports_is_refused_in_a_sentence_and_nothing_is_left() {
    for subject in &SUBJECTS {
        let Some(world) = (Case { subject, name: "" }).world() else { return };
        let before = world.rules();
        let web = world.jail(10, &["80"], Deny);
        let failure = world.attach(&web).unwrap_err();
        assert_eq!(failure.kind, Kind::Unsupported);
        assert_eq!(
            failure.message,
            "--net=br0: vm0 on that bridge cannot be told from a jail's port by iptables alone"
        );
        assert!(failure.hint.contains("install nftables"), "{failure}");
        assert_eq!(world.rules(), before);
    }
}

#[test]
fn a_jail_is_served_and_opens_nothing() {
    for subject in &SUBJECTS {
        let Some(world) = world(subject) else { return };
        let before = world.rules();
        let web = world.jail(10, &["80"], Deny);
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
        let (db, web) = (world.attached(11, &[], Deny), world.attached(10, &[], Allow));
        let late = world.attached(12, &[], Deny);
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
        let web = world.jail(10, &[], Deny);
        web.net.sh("ip -6 addr add fd00::10/64 dev eth0 nodad");
        assert!(web.net.tcp("[fd00::1]:2222").is_ok(), "canary");
        world.attach(&web).unwrap();
        web.net.sh(subject.flush);
        assert!(web.net.tcp("[fd00::1]:2222").is_err());
    }
}
