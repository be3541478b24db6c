//! Published ports: from where they are reached, by which address and protocol, and what is not published.

use super::{Case, Must};
use crate::backend::Kind;
use crate::model::Egress::{Allow, Deny};

pub fn a_published_port_is_reached_from_everywhere_by_every_address_of_the_host(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.attached(10, &["80"], Deny);
    web.net.serve_tcp("0.0.0.0:80");
    assert_eq!(world.client.tcp("192.0.2.1:80").must(), "192.0.2.2", "the client's address is kept");
    assert_eq!(world.lan.tcp("192.168.77.1:80").must(), "192.168.77.2");
    assert_eq!(world.lan.tcp("192.0.2.1:80").must(), "192.168.77.2");
    assert_eq!(world.host.tcp("192.0.2.1:80").must(), "192.0.2.1");
    assert_eq!(world.host.tcp("10.10.20.1:80").must(), "10.10.20.1");
    assert_eq!(world.host.tcp("127.0.0.1:80").must(), "10.10.20.1");
    assert_eq!(world.host.tcp("10.10.20.10:80").must(), "10.10.20.1");
    assert_eq!(world.neighbour.tcp("10.10.20.10:80").must(), "10.10.20.200");
    assert_eq!(world.neighbour.tcp("10.10.20.1:80").must(), "10.10.20.1", "there and back on one bridge");
}

pub fn all_of_it_holds_where_bridged_packets_pass_the_hosts_ip_rules(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    world.host.sh("echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables");
    let (web, db) = (world.attached(10, &["80"], Allow), world.attached(11, &[], Deny));
    web.net.serve_tcp("0.0.0.0:80");
    db.net.serve_tcp("0.0.0.0:5432");
    world.neighbour.serve_tcp("0.0.0.0:22");
    assert_eq!(world.client.tcp("192.0.2.1:80").must(), "192.0.2.2");
    assert_eq!(world.host.tcp("127.0.0.1:80").must(), "10.10.20.1");
    assert!(world.neighbour.tcp("192.0.2.1:80").is_ok(), "there and back on one bridge");
    assert_eq!(world.neighbour.tcp("10.10.20.11:5432").must(), "10.10.20.200");
    assert_eq!(web.net.tcp("10.10.20.11:5432").must(), "10.10.20.10");
    assert!(db.net.tcp("10.10.20.200:22").is_err());
    assert!(web.net.tcp("10.10.20.200:22").is_ok(), "allowed to the LAN");
}

pub fn ports_are_published_over_udp_to_other_numbers_at_one_address_and_in_ranges(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let publish =
        ["53/udp", "8080:80", "192.0.2.1:443:80", "127.0.0.1:9000:80", "7000-7010", "6000-6001:80-81"];
    let web = world.attached(10, &publish, Deny);
    web.net.serve_udp("0.0.0.0:53");
    for port in [80, 81, 7000, 7010] {
        web.net.serve_tcp(&format!("0.0.0.0:{port}"));
    }
    assert_eq!(world.client.udp("192.0.2.1:53").must(), "192.0.2.2");
    assert_eq!(world.host.udp("127.0.0.1:53").must(), "10.10.20.1");
    assert_eq!(world.client.tcp("192.0.2.1:8080").must(), "192.0.2.2");
    assert_eq!(world.client.tcp("192.0.2.1:443").must(), "192.0.2.2");
    assert!(world.client.tcp("192.168.77.1:443").is_err(), "published at the other address only");
    for port in [7000, 7010, 6000, 6001] {
        assert_eq!(world.client.tcp(&format!("192.0.2.1:{port}")).must(), "192.0.2.2", "port {port}");
    }
    assert_eq!(world.host.tcp("127.0.0.1:9000").must(), "10.10.20.1");
    assert!(world.client.tcp("192.0.2.1:9000").is_err(), "published on the loopback only");
    assert!(world.client.tcp("192.0.2.1:80").is_err());
    assert!(world.client.tcp("192.0.2.1:7011").is_err());
    assert!(world.client.tcp("192.0.2.1:53").is_err(), "only UDP");
}

pub fn a_routing_neighbour_reaches_no_port_of_the_jail_itself(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail(10, &["80"], Deny);
    web.net.serve_tcp("0.0.0.0:80");
    web.net.serve_tcp("0.0.0.0:22");
    assert!(world.lan.tcp("10.10.20.10:22").is_ok(), "canary");
    world.attach(&web).must();
    assert!(world.lan.is_not_answered("10.10.20.10:22"));
    assert!(world.lan.is_not_answered("10.10.20.10:80"));
}

pub fn what_somebody_else_leads_to_a_jail_gets_only_to_what_it_publishes(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail(10, &["8080:80", "7000-7010", "53/udp"], Deny);
    for port in [22, 80, 7011, 53] {
        web.net.serve_tcp(&format!("0.0.0.0:{port}"));
    }
    world.host.sh(
        "nft add table ip theirs; nft add chain ip theirs prerouting '{ type nat hook prerouting priority -110; }'
         for port in 22 80 7011 53; do
             nft add rule ip theirs prerouting tcp dport 1$port dnat to 10.10.20.10:$port
         done",
    );
    let theirs = ["192.0.2.1:122", "192.0.2.1:17011", "192.0.2.1:153"];
    assert!(theirs.iter().all(|target| world.client.tcp(target).is_ok()), "canary");
    world.attach(&web).must();
    for target in theirs {
        assert!(world.client.is_not_answered(target), "{target}");
    }
    assert_eq!(world.client.tcp("192.0.2.1:8080").must(), "192.0.2.2", "published");
    assert_eq!(world.client.tcp("192.0.2.1:180").must(), "192.0.2.2", "to the same port of the jail's");
}

pub fn a_port_that_another_jail_publishes_is_a_conflict_that_names_it_and_leaves_nothing(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.attached(10, &["80", "192.0.2.1:8080:80", "7000-7010"], Deny);
    let alone = world.rules();
    for port in ["80", "192.0.2.1:8080", "7005-7006"] {
        let second = world.jail(11, &["81", port], Deny);
        let Err(failure) = world.attach(&second) else { panic!("port {port} is had twice") };
        assert_eq!(failure.kind, Kind::Conflict);
        assert!(failure.message.contains(&web.want.jail.to_string()), "{failure}");
        assert!(failure.message.starts_with("--publish="), "{failure}");
        assert_eq!(world.rules(), alone, "port {port}");
        assert!(!second.net.sh(case.subject.list).contains("10.10.20"), "nor inside");
        world.host.sh(&format!("ip link del {}", second.want.attachments[0].host_interface));
    }
}
