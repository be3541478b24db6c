//! A jail beside an interface of the host's: nothing on the host sees its packets, and its own rules are all there is.

use crate::model::Egress::{Allow, Deny};

use super::net::{nothing_from, refused_at_once, something_from};
use super::{Case, Must, on_lan};

pub fn it_answers_the_lan_and_opens_nothing_and_the_hosts_rules_are_left_alone(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let web = world.jail_on_lan(50, Deny);
    web.net.serve_tcp("0.0.0.0:80");
    web.net.serve_udp("0.0.0.0:53");
    world.lan.serve_tcp("0.0.0.0:80");
    world.lan.serve_udp("0.0.0.0:53");
    assert!(web.net.tcp("192.168.77.2:80").is_ok(), "canary");
    assert!(web.net.udp("192.168.77.2:53").is_ok(), "canary");
    let rules = world.rules();
    world.attach(&web).must();
    assert_eq!(world.rules(), rules);
    assert!(refused_at_once(web.net.tcp("192.168.77.2:80")));
    assert!(web.net.udp("192.168.77.2:53").is_err());
    assert!(world.lan.tcp("192.168.77.50:80").is_ok());
    assert!(world.lan.udp("192.168.77.50:53").is_ok());
    assert!(world.check(&web).differences.is_empty());
    world.detach(&web, false);
    world.detach(&web, true);
    assert_eq!(world.rules(), rules);
}

pub fn the_rules_of_other_jails_stay_when_it_ends(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let db = world.attached(10, &["80"], Deny);
    db.net.serve_tcp("0.0.0.0:80");
    let rules = world.rules();
    let web = world.jail_on_lan(50, Deny);
    world.attach(&web).must();
    world.detach(&web, false);
    world.detach_without_undo(&web);
    assert_eq!(world.rules(), rules);
    assert!(world.client.tcp("192.0.2.1:80").is_ok());
}

pub fn with_egress_it_reaches_the_lan_and_neither_the_host_nor_our_networks(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let (mut web, canary) = (world.jail_on_lan(50, Allow), world.jail_on_lan(51, Allow));
    web.want.published = vec!["80".parse().must(), "53/udp".parse().must()];
    for jail in [&web, &canary] {
        jail.net.sh("ip route add default via 192.168.77.2");
    }
    world.lan.serve_tcp("0.0.0.0:80");
    world.lan.sh("echo 1 > /proc/sys/net/ipv4/ip_forward"); // it routes for the jail, to the host
    let heard = world.host.listen_udp("0.0.0.0:53");
    world.attach(&web).must();
    assert!(web.net.tcp("192.168.77.2:80").is_ok());
    // The host's answers do not reach an interface beside its own: that it hears is enough.
    for target in ["192.0.2.1:53", "10.10.20.1:53"] {
        canary.net.say("0.0.0.0:0", target);
        assert!(something_from(&heard), "canary {target}");
        web.net.say("0.0.0.0:0", target);
        assert!(nothing_from(&heard), "{target}, published or not");
    }
    for target in ["192.0.2.1:80", "192.168.77.1:80", "10.10.20.1:2222", "10.10.30.9:80"] {
        assert!(refused_at_once(web.net.tcp(target)), "{target}");
    }
}

pub fn on_a_bridge_as_well_it_is_held_to_each_networks_rules(case: &Case<'_>) {
    let Some(world) = case.world() else { return };
    let mut web = world.jail(10, &["80"], Deny);
    web.want.attachments.push(on_lan(60));
    world.beside_lan(&web.net, &on_lan(60));
    world.attach(&web).must();
    let db = world.attached(11, &[], Deny);
    for jail in [&web, &db] {
        jail.net.serve_tcp("0.0.0.0:80");
    }
    world.lan.serve_tcp("0.0.0.0:80");
    assert!(web.net.tcp("10.10.20.11:80").is_ok());
    assert!(refused_at_once(web.net.tcp("192.168.77.2:80")));
    assert!(world.lan.tcp("192.168.77.60:80").is_ok());
    assert!(world.client.tcp("192.0.2.1:80").is_ok(), "published");
    assert!(world.client.is_not_answered("10.10.20.10:80"));
}
