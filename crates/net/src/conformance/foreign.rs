//! Machines on the jail's bridge that are no jails, where the host's own rules are gone: the jail's rules alone keep
//! it from calling them. It answers them and the host, and talks to other jails.

use crate::model::Egress::Deny;

use super::net::{nothing_from, something_from};
use super::{Case, Jail, Must, World};

/// Gives the jail an IPv6 address beside its own.
fn with_ipv6(mut jail: Jail, address: &str) -> Jail {
    jail.net.sh(&format!("ip -6 addr add {address} dev eth0 nodad"));
    let attachment = &mut jail.want.attachments[0];
    attachment.addresses.push(address.parse().must());
    attachment.network.subnet6 = Some("fd00::1/64".parse().must());
    jail
}

/// Two jails with both kinds of address, and a machine with both; the host's rules are gone.
fn flushed<'a>(case: &Case<'a>) -> Option<(World<'a>, Jail, Jail)> {
    let world = case.world()?;
    world.host.sh("ip -6 addr add fd00::1/64 dev br0 nodad");
    world.neighbour.sh("ip -6 addr add fd00::c8/64 dev eth0 nodad");
    let web = with_ipv6(world.jail(10, &["80", "53/udp"], Deny), "fd00::10/64");
    let db = with_ipv6(world.jail(11, &[], Deny), "fd00::11/64");
    for jail in [&web, &db] {
        world.attach(jail).must();
    }
    world.host.sh(case.subject.flush);
    Some((world, web, db))
}

pub fn a_machine_on_the_bridge_is_not_called_once_the_hosts_rules_are_flushed(case: &Case<'_>) {
    let Some((world, web, canary)) = flushed(case) else { return };
    canary.net.sh("nft delete table netdev jail");
    world.neighbour.serve_tcp("[::]:22");
    for (target, from, number) in [("10.10.20.200", "0.0.0.0:53", 514), ("[fd00::c8]", "[::]:53", 515)] {
        let heard = world.neighbour.listen_udp(&format!("[::]:{number}"));
        let say = |jail: &Jail| jail.net.say(from, &format!("{target}:{number}"));
        assert!(canary.net.tcp(&format!("{target}:22")).is_ok(), "canary {target}");
        say(&canary);
        assert!(something_from(&heard), "canary {target}");
        assert!(web.net.is_not_answered(&format!("{target}:22")), "{target}");
        say(&web);
        assert!(nothing_from(&heard), "{target}, from a port it publishes");
    }
}

pub fn a_call_is_not_taken_for_an_answer_because_the_jail_forged_the_question(case: &Case<'_>) {
    let Some((world, web, canary)) = flushed(case) else { return };
    canary.net.sh(case.subject.forge);
    let heard = world.neighbour.listen_udp("[::]:514");
    let ask_itself_and_answer = |jail: &Jail, own: &str| {
        jail.net.sh("echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind"); // for one socket anybody can: IPV6_FREEBIND
        jail.net.say("[fd00::c8]:514", own);
        jail.net.say(own, "[fd00::c8]:514");
    };
    ask_itself_and_answer(&canary, "[fd00::11]:5353");
    assert!(something_from(&heard), "canary");
    ask_itself_and_answer(&web, "[fd00::10]:5353");
    assert!(nothing_from(&heard));
}

pub fn it_answers_machines_and_the_host_from_any_port_once_the_hosts_rules_are_flushed(case: &Case<'_>) {
    let Some((world, web, _)) = flushed(case) else { return };
    for port in [80, 8000] {
        web.net.serve_tcp(&format!("[::]:{port}"));
    }
    for port in [53, 5353] {
        web.net.serve_udp(&format!("[::]:{port}"));
    }
    for address in ["10.10.20.10", "[fd00::10]"] {
        for caller in [&world.neighbour, &world.host] {
            for port in [80, 8000] {
                assert!(caller.tcp(&format!("{address}:{port}")).is_ok(), "{address}, TCP port {port}");
            }
            for port in [53, 5353] {
                assert!(
                    caller.udp_from("[::]:0", &format!("{address}:{port}")).is_ok(),
                    "{address}, UDP port {port}"
                );
            }
        }
    }
}

pub fn jails_talk_to_each_other_once_the_hosts_rules_are_flushed(case: &Case<'_>) {
    let Some((_world, web, db)) = flushed(case) else { return };
    for jail in [&web, &db] {
        jail.net.serve_tcp("[::]:5432");
        jail.net.serve_udp("[::]:53");
    }
    let both = [(&web, ["10.10.20.11", "[fd00::11]"]), (&db, ["10.10.20.10", "[fd00::10]"])];
    for (caller, addresses) in both {
        for address in addresses {
            assert!(caller.net.tcp(&format!("{address}:5432")).is_ok(), "{address}");
            assert!(caller.net.udp_from("[::]:0", &format!("{address}:53")).is_ok(), "{address}");
        }
    }
}
