//! A jail whose namespace somebody else's hand has changed: forged addresses and frames, other machines on its bridge.

use super::net::{nothing_from, something_from};
use super::{Case, Must};
use crate::model::Egress::{Allow, Deny};

pub fn a_forged_source_gets_nowhere(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail(10, &[], Allow);
    let heard = world.lan.listen_udp("0.0.0.0:9");
    web.net.sh("ip addr add 10.10.20.77/24 dev eth0");
    let send = || web.net.say("10.10.20.77:0", "192.168.77.2:9");
    send();
    assert!(something_from(&heard), "canary");
    world.attach(&web).must();
    send();
    assert!(nothing_from(&heard));
}

pub fn arp_that_claims_anothers_address_stays_in_the_jail(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail(10, &[], Deny);
    world.host.sh("echo 0 > /proc/sys/net/ipv4/neigh/br0/locktime");
    // The kernel announces all its addresses when its MAC changes.
    let claim = |mac: &str| {
        world.host.sh("ip neigh replace 10.10.20.200 lladdr 02:00:00:00:00:c8 nud reachable dev br0");
        web.net.sh(&format!("ip link set eth0 address {mac}"));
        world.host.sh("ip neigh show 10.10.20.200").contains(mac)
    };
    web.net.sh("echo 1 > /proc/sys/net/ipv4/conf/eth0/arp_notify; ip addr add 10.10.20.200/32 dev eth0");
    assert!(claim("02:00:00:00:00:99"), "canary");
    world.attach(&web).must();
    assert!(!claim("02:00:00:00:00:98"));
    assert!(!claim(&web.want.attachments[0].mac), "nor with its own MAC");
    web.net.serve_tcp("0.0.0.0:80");
    assert!(world.host.tcp("10.10.20.10:80").is_ok(), "its own address it may claim");
}

pub fn frames_with_another_mac_stay_in_the_jail(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail(10, &["9/udp"], Deny);
    web.net.sh("ip neigh add 10.10.20.200 lladdr 02:00:00:00:00:c8 dev eth0");
    let heard = world.neighbour.listen_udp("0.0.0.0:514");
    let send = |mac: &str| {
        web.net.sh(&format!("ip link set eth0 address {mac}"));
        web.net.say("10.10.20.10:9", "10.10.20.200:514");
    };
    send("02:00:00:00:00:99");
    assert!(something_from(&heard), "canary");
    world.attach(&web).must();
    web.net.sh(case.subject.flush); // the host's rules alone
    send("02:00:00:00:00:99");
    assert!(nothing_from(&heard));
    send(&web.want.attachments[0].mac);
    assert!(something_from(&heard));
}

pub fn a_jail_on_a_shared_bridge_answers_machines_there_but_calls_none(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail(10, &["53/udp"], Deny);
    world.neighbour.serve_tcp("0.0.0.0:22");
    let heard = world.neighbour.listen_udp("0.0.0.0:514");
    assert!(web.net.tcp("10.10.20.200:22").is_ok(), "canary");
    world.attach(&web).must();
    web.net.serve_tcp("0.0.0.0:8000");
    web.net.serve_udp("0.0.0.0:53");
    assert_eq!(world.neighbour.tcp("10.10.20.10:8000").must(), "10.10.20.200");
    assert_eq!(world.neighbour.udp("10.10.20.10:53").must(), "10.10.20.200");
    assert!(web.net.tcp("10.10.20.200:22").is_err());
    web.net.say("0.0.0.0:0", "10.10.20.200:514");
    assert!(nothing_from(&heard));
}
