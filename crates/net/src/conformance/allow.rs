//! `Egress::Allow` where the host's own rules are gone: the jail's rules alone keep it from the host and from the
//! other networks of ours.

use crate::model::Egress::{Allow, Deny};

use super::net::{nothing_from, refused_at_once, something_from};
use super::{Case, Jail, Must, Net, World};

/// Another network of ours, 10.10.30.0/24, with a machine on it.
fn other_network(world: &World<'_>) -> Net {
    let machine = Net::made();
    world.host.sh(&format!(
        "ip link add br1 type veth peer name eth0 netns {}; ip addr add 10.10.30.1/24 dev br1; ip link set br1 up
         echo 1 > /proc/sys/net/ipv4/conf/br1/forwarding",
        machine.path()
    ));
    machine.sh("ip addr add 10.10.30.5/24 dev eth0; ip link set eth0 up; ip route add default via 10.10.30.1
         ip -6 addr add fd00:30::5/64 dev eth0 nodad");
    machine
}

/// Attaches the jail, and takes the host's rules away again.
fn attach_and_flush(world: &World<'_>, jail: &Jail) {
    world.attach(jail).must();
    world.host.sh(world.subject.flush);
}

pub fn flushing_the_hosts_rules_opens_neither_the_host_nor_our_other_networks(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail(10, &["80"], Allow);
    let other = other_network(&world);
    world.host.serve_tcp("0.0.0.0:2222");
    other.serve_tcp("0.0.0.0:5432");
    world.lan.serve_tcp("0.0.0.0:80");
    world.neighbour.serve_tcp("0.0.0.0:22");
    let targets = ["10.10.20.1:2222", "192.0.2.1:2222", "10.10.30.1:2222", "10.10.30.5:5432"];
    for target in targets {
        assert!(web.net.tcp(target).is_ok(), "canary {target}");
    }
    attach_and_flush(&world, &web);
    for target in targets {
        assert!(refused_at_once(web.net.tcp(target)), "{target}");
    }
    assert_eq!(web.net.tcp("192.168.77.2:80").must(), "10.10.20.10", "the LAN is allowed");
    assert_eq!(web.net.tcp("10.10.20.200:22").must(), "10.10.20.10", "a neighbour is");
}

pub fn ports_that_jails_publish_are_reached_by_the_hosts_address_and_no_others(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let publish = ["80", "53/udp", "7000-7010", "192.0.2.1:443:80"];
    let web = world.attached(10, &publish, Deny);
    let mut client = world.jail(11, &[], Allow);
    client.want.published = [&web.want.publish[..], &["7005-7020".parse().must()]].concat();
    world.attach(&client).must();
    for port in [80, 7000, 7010] {
        web.net.serve_tcp(&format!("0.0.0.0:{port}"));
    }
    web.net.serve_udp("0.0.0.0:53");
    for target in ["10.10.20.1:80", "192.0.2.1:80", "192.0.2.1:443", "192.168.77.1:7000", "192.0.2.1:7010"] {
        assert_eq!(client.net.tcp(target).must(), "10.10.20.1", "{target}");
    }
    assert_eq!(client.net.udp("192.0.2.1:53").must(), "10.10.20.1");

    world.host.sh(case.subject.flush);
    world.host.serve_tcp("0.0.0.0:53");
    world.host.serve_tcp("0.0.0.0:443");
    for target in ["192.0.2.1:53", "192.168.77.1:443", "192.0.2.1:6999"] {
        assert!(refused_at_once(client.net.tcp(target)), "{target}");
    }
    assert!(client.net.tcp("192.0.2.1:443").is_ok(), "canary: only this address of port 443");
}

pub fn the_hosts_loopback_is_not_reached_by_a_socket_bound_to_the_interface(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail(10, &["514/udp"], Allow);
    let heard = world.host.listen_udp("127.0.0.1:514");
    web.net.shout("127.0.0.1:514");
    assert!(something_from(&heard), "canary");
    attach_and_flush(&world, &web);
    web.net.shout("127.0.0.1:514");
    assert!(nothing_from(&heard));
    web.net.serve_udp("127.0.0.1:514");
    assert_eq!(web.net.udp("127.0.0.1:514").must(), "127.0.0.1", "its own");
}

pub fn the_host_hears_no_broadcast_once_its_rules_are_flushed(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    for egress in [Allow, Deny] {
        let number = if egress == Allow { 10 } else { 11 };
        let web = world.jail(number, &[], egress);
        let port = 500 + u16::from(number);
        let heard = world.host.listen_udp(&format!("0.0.0.0:{port}"));
        let shout = || {
            for target in ["10.10.20.255", "255.255.255.255", "224.0.0.1"] {
                web.net.shout(&format!("{target}:{port}"));
            }
        };
        shout();
        for _ in 0..3 {
            assert!(something_from(&heard), "canary");
        }
        attach_and_flush(&world, &web);
        shout();
        assert!(nothing_from(&heard), "{egress}");
    }
}

pub fn the_same_holds_for_ipv6(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let other = other_network(&world);
    world.host.sh("ip -6 addr add fd00::1/64 dev br0 nodad; ip -6 addr add fd00:30::1/64 dev br1 nodad
         ip -6 addr add fd00:77::1/64 dev lan0 nodad; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    world.lan.sh("ip -6 addr add fd00:77::2/64 dev eth0 nodad; ip -6 route add default via fd00:77::1");
    other.sh("ip -6 route add default via fd00:30::1");
    let (mut web, mut db) = (world.jail(10, &[], Allow), world.jail(11, &["81"], Deny));
    for (jail, address) in [(&mut web, "fd00::10/64"), (&mut db, "fd00::11/64")] {
        jail.net.sh(&format!("ip -6 addr add {address} dev eth0 nodad; ip -6 route add default via fd00::1"));
        let attachment = &mut jail.want.attachments[0];
        attachment.addresses.push(address.parse().must());
        attachment.network.subnet6 = Some("fd00::1/64".parse().must());
    }
    web.want.published = db.want.publish.clone();
    world.attach(&db).must();
    db.net.serve_tcp("[::]:81");
    for net in ["fd00::1/128", "fd00:30::1/128", "fd00:77::1/128", "fd00:30::/64"] {
        web.want.off_limits.push(net.parse().must());
    }
    world.host.serve_tcp("[::]:2222");
    other.serve_tcp("[::]:5432");
    world.lan.serve_tcp("[::]:80");
    web.net.serve_tcp("[::]:80");
    let targets = ["[fd00::1]:2222", "[fd00:77::1]:2222", "[fd00:30::1]:2222", "[fd00:30::5]:5432"];
    for target in targets {
        assert!(web.net.tcp(target).is_ok(), "canary {target}");
    }
    world.attach(&web).must();
    assert_eq!(web.net.tcp("[fd00:77::1]:81").must(), "fd00::1", "published");
    world.host.sh(case.subject.flush);
    world.host.sh("ip -6 neigh flush dev br0");
    web.net.sh("ip -6 neigh flush dev eth0");
    for target in targets {
        assert!(refused_at_once(web.net.tcp(target)), "{target}");
    }
    assert_eq!(web.net.tcp("[fd00:77::2]:80").must(), "fd00::10", "the LAN is allowed");
    assert_eq!(world.host.tcp("[fd00::10]:80").must(), "fd00::1", "the host finds its neighbour");
}
