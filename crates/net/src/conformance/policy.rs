//! Whom a jail may call, and whose traffic is nobody's business of ours.

use super::net::refused_at_once;
use super::{Case, Must};
use crate::model::Egress::{Allow, Deny};

pub fn a_jail_opens_no_connection_and_is_told_at_once(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail(10, &["80"], Deny);
    world.host.serve_tcp("0.0.0.0:2222");
    world.lan.serve_tcp("0.0.0.0:80");
    let targets = ["10.10.20.1:2222", "192.0.2.1:2222", "192.168.77.2:80"];
    for target in targets {
        assert!(web.net.tcp(target).is_ok(), "canary {target}");
    }
    world.attach(&web).must();
    for target in targets {
        assert!(refused_at_once(web.net.tcp(target)), "{target}, by the jail's own rules");
    }
    assert!(refused_at_once(web.net.tcp("203.0.113.9:80")), "the Internet");

    web.net.sh(case.subject.flush);
    for target in targets {
        assert!(refused_at_once(web.net.tcp(target)), "{target}, by the host's rules");
    }
}

pub fn flushing_the_hosts_rules_opens_nothing(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.attached(10, &["80"], Deny);
    web.net.serve_tcp("0.0.0.0:80");
    world.host.serve_tcp("0.0.0.0:2222");
    world.lan.serve_tcp("0.0.0.0:80");
    world.host.sh(case.subject.flush);
    assert!(refused_at_once(web.net.tcp("10.10.20.1:2222")));
    assert!(refused_at_once(web.net.tcp("192.168.77.2:80")));
    assert_eq!(world.neighbour.tcp("10.10.20.10:80").must(), "10.10.20.200", "the service still answers");
    assert!(!world.check(&web).differences.is_empty(), "and this is told");
    world.detach(&web, false);
}

pub fn a_jail_talks_to_the_jails_of_its_own_bridge(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let (web, db) = (world.attached(10, &["80"], Deny), world.attached(11, &[], Deny));
    db.net.serve_tcp("0.0.0.0:5432");
    assert_eq!(web.net.tcp("10.10.20.11:5432").must(), "10.10.20.10");
}

pub fn allowed_egress_goes_out_by_the_hosts_address_but_never_to_the_host(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.attached(10, &["80"], Allow);
    web.net.serve_tcp("0.0.0.0:80");
    world.lan.serve_tcp("0.0.0.0:80");
    world.host.serve_tcp("0.0.0.0:2222");
    assert_eq!(web.net.tcp("192.168.77.2:80").must(), "192.168.77.1");
    assert!(refused_at_once(web.net.tcp("10.10.20.1:2222")));
    assert!(refused_at_once(web.net.tcp("192.0.2.1:2222")));
    assert_eq!(web.net.tcp("192.0.2.1:80").must(), "10.10.20.1", "its own port by the host's address");
    let mut other = world.jail(11, &[], Allow);
    other.want.published.clone_from(&web.want.publish);
    world.attach(&other).must();
    assert_eq!(other.net.tcp("192.0.2.1:80").must(), "10.10.20.1", "another's");
}

pub fn other_ports_of_the_bridge_and_other_peoples_traffic_are_left_alone(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    world.host.serve_tcp("0.0.0.0:2222");
    world.lan.serve_tcp("0.0.0.0:80");
    let _web = world.attached(10, &["80"], Deny);
    assert_eq!(
        world.neighbour.tcp("10.10.20.1:2222").must(),
        "10.10.20.200",
        "an administrator by the bridge"
    );
    assert_eq!(world.neighbour.tcp("192.168.77.2:80").must(), "10.10.20.200", "a virtual machine goes out");
    assert_eq!(world.client.tcp("192.0.2.1:2222").must(), "192.0.2.2");
}

pub fn interfaces_that_forward_for_us_forward_nothing_else(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    world.lan.serve_tcp("0.0.0.0:80");
    assert!(world.client.tcp("192.168.77.2:80").is_ok(), "canary");
    let _web = world.attached(10, &["80"], Deny);
    assert!(world.client.is_not_answered("192.168.77.2:80"));
}

pub fn a_host_that_routes_ipv6_goes_on_routing_it(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    world.host.sh("ip -6 addr add fd00:2::1/64 dev wan0 nodad; ip -6 addr add fd00:77::1/64 dev lan0 nodad
         echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    for (net, subnet) in [(&world.client, "fd00:2"), (&world.lan, "fd00:77")] {
        net.sh(&format!(
            "ip -6 addr add {subnet}::2/64 dev eth0 nodad; ip -6 route add default via {subnet}::1"
        ));
    }
    world.lan.serve_tcp("[::]:80");
    assert_eq!(world.client.tcp("[fd00:77::2]:80").must(), "fd00:2::2");
    let _web = world.attached(10, &["80"], Deny);
    assert_eq!(world.client.tcp("[fd00:77::2]:80").must(), "fd00:2::2");
}

pub fn the_hosts_loopback_is_not_reached_from_the_bridge(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    world.host.serve_tcp("127.0.0.1:631");
    world.neighbour.sh(
        "ip route add 127.0.0.5/32 via 10.10.20.1 dev eth0 src 10.10.20.200 table 5; ip rule add to 127.0.0.1 lookup 5 pref 1
         ip rule add pref 10 lookup local; ip rule del pref 0; ip route replace 127.0.0.1/32 via 10.10.20.1 dev eth0 src 10.10.20.200 table 5
         echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet",
    );
    assert!(world.neighbour.tcp("127.0.0.1:631").is_ok(), "canary");
    let _web = world.attached(10, &["80"], Deny);
    assert!(world.neighbour.is_not_answered("127.0.0.1:631"));
    assert!(world.host.tcp("127.0.0.1:631").is_ok());
}
