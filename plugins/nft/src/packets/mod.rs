//! The rules proved with packets, in network namespaces made for each test. Needs root: without it the tests say so
//! and do nothing. Each protection is first shown to be needed.

mod allow;
mod beside;
mod foreign;
mod net;
mod orphan;
pub(crate) mod world;

use jail_net::backend::Kind;
use jail_net::model::Egress::{Allow, Deny};

use net::{nothing_from, refused_at_once, something_from, unanswered};
use world::World;

/// The world of a test, unless it runs without root.
fn world() -> Option<World> {
    if nix::unistd::geteuid().is_root() {
        return Some(World::new());
    }
    eprintln!("skipped: needs root");
    None
}

#[test]
fn a_published_port_is_reached_from_everywhere_by_every_address_of_the_host() {
    let Some(world) = world() else { return };
    let web = world.attached(10, &["80"], Deny);
    web.net.serve_tcp("0.0.0.0:80");
    assert_eq!(world.client.tcp("192.0.2.1:80").unwrap(), "192.0.2.2", "the client's address is kept");
    assert_eq!(world.lan.tcp("192.168.77.1:80").unwrap(), "192.168.77.2");
    assert_eq!(world.lan.tcp("192.0.2.1:80").unwrap(), "192.168.77.2");
    assert_eq!(world.host.tcp("192.0.2.1:80").unwrap(), "192.0.2.1");
    assert_eq!(world.host.tcp("10.10.20.1:80").unwrap(), "10.10.20.1");
    assert_eq!(world.host.tcp("127.0.0.1:80").unwrap(), "10.10.20.1");
    assert_eq!(world.host.tcp("10.10.20.10:80").unwrap(), "10.10.20.1");
    assert_eq!(world.neighbour.tcp("10.10.20.10:80").unwrap(), "10.10.20.200");
    assert_eq!(world.neighbour.tcp("10.10.20.1:80").unwrap(), "10.10.20.1", "there and back on one bridge");
}

#[test]
fn all_of_it_holds_where_bridged_packets_pass_the_hosts_ip_rules() {
    let Some(world) = world() else { return };
    world.host.sh("echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables");
    let (web, db) = (world.attached(10, &["80"], Allow), world.attached(11, &[], Deny));
    web.net.serve_tcp("0.0.0.0:80");
    db.net.serve_tcp("0.0.0.0:5432");
    world.neighbour.serve_tcp("0.0.0.0:22");
    assert_eq!(world.client.tcp("192.0.2.1:80").unwrap(), "192.0.2.2");
    assert_eq!(world.host.tcp("127.0.0.1:80").unwrap(), "10.10.20.1");
    assert!(world.neighbour.tcp("192.0.2.1:80").is_ok(), "there and back on one bridge");
    assert_eq!(world.neighbour.tcp("10.10.20.11:5432").unwrap(), "10.10.20.200");
    assert_eq!(web.net.tcp("10.10.20.11:5432").unwrap(), "10.10.20.10");
    assert!(db.net.tcp("10.10.20.200:22").is_err());
    assert!(web.net.tcp("10.10.20.200:22").is_ok(), "allowed to the LAN");
}

#[test]
fn ports_are_published_over_udp_to_other_numbers_at_one_address_and_in_ranges() {
    let Some(world) = world() else { return };
    let publish =
        ["53/udp", "8080:80", "192.0.2.1:443:80", "127.0.0.1:9000:80", "7000-7010", "6000-6001:80-81"];
    let web = world.attached(10, &publish, Deny);
    web.net.serve_udp("0.0.0.0:53");
    for port in [80, 81, 7000, 7010] {
        web.net.serve_tcp(&format!("0.0.0.0:{port}"));
    }
    assert_eq!(world.client.udp("192.0.2.1:53").unwrap(), "192.0.2.2");
    assert_eq!(world.host.udp("127.0.0.1:53").unwrap(), "10.10.20.1");
    assert_eq!(world.client.tcp("192.0.2.1:8080").unwrap(), "192.0.2.2");
    assert_eq!(world.client.tcp("192.0.2.1:443").unwrap(), "192.0.2.2");
    assert!(world.client.tcp("192.168.77.1:443").is_err(), "published at the other address only");
    for port in [7000, 7010, 6000, 6001] {
        assert_eq!(world.client.tcp(&format!("192.0.2.1:{port}")).unwrap(), "192.0.2.2", "port {port}");
    }
    assert_eq!(world.host.tcp("127.0.0.1:9000").unwrap(), "10.10.20.1");
    assert!(world.client.tcp("192.0.2.1:9000").is_err(), "published on the loopback only");
    assert!(world.client.tcp("192.0.2.1:80").is_err());
    assert!(world.client.tcp("192.0.2.1:7011").is_err());
    assert!(world.client.tcp("192.0.2.1:53").is_err(), "only UDP");
}

#[test]
fn a_routing_neighbour_reaches_no_port_of_the_jail_itself() {
    let Some(world) = world() else { return };
    let web = world.jail(10, &["80"], Deny);
    web.net.serve_tcp("0.0.0.0:80");
    web.net.serve_tcp("0.0.0.0:22");
    assert!(world.lan.tcp("10.10.20.10:22").is_ok(), "canary");
    world.attach(&web).unwrap();
    assert!(unanswered(world.lan.tcp("10.10.20.10:22")));
    assert!(unanswered(world.lan.tcp("10.10.20.10:80")));
}

#[test]
fn a_jail_opens_no_connection_and_is_told_at_once() {
    let Some(world) = world() else { return };
    let web = world.jail(10, &["80"], Deny);
    world.host.serve_tcp("0.0.0.0:2222");
    world.lan.serve_tcp("0.0.0.0:80");
    let targets = ["10.10.20.1:2222", "192.0.2.1:2222", "192.168.77.2:80"];
    for target in targets {
        assert!(web.net.tcp(target).is_ok(), "canary {target}");
    }
    world.attach(&web).unwrap();
    for target in targets {
        assert!(refused_at_once(web.net.tcp(target)), "{target}, by the jail's own table");
    }
    assert!(refused_at_once(web.net.tcp("203.0.113.9:80")), "the Internet");

    web.net.sh("nft flush ruleset");
    for target in targets {
        assert!(refused_at_once(web.net.tcp(target)), "{target}, by the host's table");
    }
}

#[test]
fn flushing_the_hosts_rules_opens_nothing() {
    let Some(world) = world() else { return };
    let web = world.attached(10, &["80"], Deny);
    web.net.serve_tcp("0.0.0.0:80");
    world.host.serve_tcp("0.0.0.0:2222");
    world.lan.serve_tcp("0.0.0.0:80");
    world.host.sh("nft flush ruleset");
    assert!(refused_at_once(web.net.tcp("10.10.20.1:2222")));
    assert!(refused_at_once(web.net.tcp("192.168.77.2:80")));
    assert_eq!(world.neighbour.tcp("10.10.20.10:80").unwrap(), "10.10.20.200", "the service still answers");
    let drift = world.check(&web);
    assert_eq!(drift.differences, ["table inet jail is missing", "table bridge jail is missing"]);
    world.detach(&web, false);
}

#[test]
fn what_somebody_took_away_is_told_and_what_is_left_can_be_removed() {
    let Some(world) = world() else { return };
    let web = world.attached(10, &["80"], Deny);
    world.host.sh(
        "nft delete element inet jail ports '{ tcp . 80 }'; nft delete element inet jail forwards '{ wan0 }'
         nft flush chain inet jail input; nft delete table bridge jail",
    );
    let expected = [
        "chain input of table inet jail has 0 rules instead of 2",
        "tcp . 80 in set ports of table inet jail is missing",
        "wan0 in set forwards of table inet jail is missing",
        "table bridge jail is missing",
    ];
    assert_eq!(world.check(&web).differences, expected);
    world.detach(&web, false);
    assert!(!world.rules().contains(web.want.jail.as_str()));
    world.attached(11, &["80"], Deny);
    assert!(world.rules().contains("table bridge jail"), "the next jail makes the missing table");
}

#[test]
fn a_table_of_our_name_that_is_somebody_elses_is_told_of_and_stays() {
    let Some(world) = world() else { return };
    for (number, family) in [(10, "inet"), (11, "bridge")] {
        world.host.sh(&format!("nft add table {family} jail; nft add chain {family} jail theirs"));
        let web = world.jail(number, &["80"], Deny);
        let failure = world.attach(&web).unwrap_err();
        let said = format!("table {family} jail is there, and somebody else's: jail did not make it");
        assert_eq!(failure.message, said);
        world.detach(&web, true);
        world.gc(&[]);
        assert!(world.rules().contains("theirs"));
        world.host.sh(&format!("nft delete table {family} jail"));
        world.attach(&web).unwrap();
        world.detach(&web, true);
        assert!(!world.rules().contains("table"), "what is ours goes");
    }
}

#[test]
fn a_jail_talks_to_the_jails_of_its_own_bridge() {
    let Some(world) = world() else { return };
    let (web, db) = (world.attached(10, &["80"], Deny), world.attached(11, &[], Deny));
    db.net.serve_tcp("0.0.0.0:5432");
    assert_eq!(web.net.tcp("10.10.20.11:5432").unwrap(), "10.10.20.10");
}

#[test]
fn allowed_egress_goes_out_by_the_hosts_address_but_never_to_the_host() {
    let Some(world) = world() else { return };
    let web = world.attached(10, &["80"], Allow);
    web.net.serve_tcp("0.0.0.0:80");
    world.lan.serve_tcp("0.0.0.0:80");
    world.host.serve_tcp("0.0.0.0:2222");
    assert_eq!(web.net.tcp("192.168.77.2:80").unwrap(), "192.168.77.1");
    assert!(refused_at_once(web.net.tcp("10.10.20.1:2222")));
    assert!(refused_at_once(web.net.tcp("192.0.2.1:2222")));
    assert_eq!(web.net.tcp("192.0.2.1:80").unwrap(), "10.10.20.1", "its own port by the host's address");
    let mut other = world.jail(11, &[], Allow);
    other.want.published.clone_from(&web.want.publish);
    world.attach(&other).unwrap();
    assert_eq!(other.net.tcp("192.0.2.1:80").unwrap(), "10.10.20.1", "another's");
}

#[test]
fn a_forged_source_gets_nowhere() {
    let Some(world) = world() else { return };
    let web = world.jail(10, &[], Allow);
    let heard = world.lan.listen_udp("0.0.0.0:9");
    web.net.sh("ip addr add 10.10.20.77/24 dev eth0");
    let send = || web.net.udp_from("10.10.20.77:0", "192.168.77.2:9");
    let _ = send();
    assert!(something_from(&heard), "canary");
    world.attach(&web).unwrap();
    let _ = send();
    assert!(nothing_from(&heard));
    assert!(world.rules().contains("known4"));
}

#[test]
fn arp_that_claims_anothers_address_stays_in_the_jail() {
    let Some(world) = world() else { return };
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
    world.attach(&web).unwrap();
    assert!(!claim("02:00:00:00:00:98"));
    assert!(!claim(&web.want.attachments[0].mac), "nor with its own MAC");
    web.net.serve_tcp("0.0.0.0:80");
    assert!(world.host.tcp("10.10.20.10:80").is_ok(), "its own address it may claim");
}

#[test]
fn frames_with_another_mac_stay_in_the_jail() {
    let Some(world) = world() else { return };
    let web = world.jail(10, &["9/udp"], Deny);
    web.net.sh("ip neigh add 10.10.20.200 lladdr 02:00:00:00:00:c8 dev eth0");
    let heard = world.neighbour.listen_udp("0.0.0.0:514");
    let send = |mac: &str| {
        web.net.sh(&format!("ip link set eth0 address {mac}"));
        let _ = web.net.udp_from("10.10.20.10:9", "10.10.20.200:514");
    };
    send("02:00:00:00:00:99");
    assert!(something_from(&heard), "canary");
    world.attach(&web).unwrap();
    web.net.sh("nft flush ruleset"); // the host's tables alone
    send("02:00:00:00:00:99");
    assert!(nothing_from(&heard));
    send(&web.want.attachments[0].mac);
    assert!(something_from(&heard));
}

#[test]
fn a_jail_on_a_shared_bridge_answers_machines_there_but_calls_none() {
    let Some(world) = world() else { return };
    let web = world.jail(10, &["53/udp"], Deny);
    world.neighbour.serve_tcp("0.0.0.0:22");
    let heard = world.neighbour.listen_udp("0.0.0.0:514");
    assert!(web.net.tcp("10.10.20.200:22").is_ok(), "canary");
    world.attach(&web).unwrap();
    web.net.serve_tcp("0.0.0.0:8000");
    web.net.serve_udp("0.0.0.0:53");
    assert_eq!(world.neighbour.tcp("10.10.20.10:8000").unwrap(), "10.10.20.200");
    assert_eq!(world.neighbour.udp("10.10.20.10:53").unwrap(), "10.10.20.200");
    assert!(web.net.tcp("10.10.20.200:22").is_err());
    let _ = web.net.udp("10.10.20.200:514");
    assert!(nothing_from(&heard));
}

#[test]
fn other_ports_of_the_bridge_and_other_peoples_traffic_are_left_alone() {
    let Some(world) = world() else { return };
    world.host.serve_tcp("0.0.0.0:2222");
    world.lan.serve_tcp("0.0.0.0:80");
    let _web = world.attached(10, &["80"], Deny);
    assert_eq!(
        world.neighbour.tcp("10.10.20.1:2222").unwrap(),
        "10.10.20.200",
        "an administrator by the bridge"
    );
    assert_eq!(world.neighbour.tcp("192.168.77.2:80").unwrap(), "10.10.20.200", "a virtual machine goes out");
    assert_eq!(world.client.tcp("192.0.2.1:2222").unwrap(), "192.0.2.2");
}

#[test]
fn interfaces_that_forward_for_us_forward_nothing_else() {
    let Some(world) = world() else { return };
    world.lan.serve_tcp("0.0.0.0:80");
    assert!(world.client.tcp("192.168.77.2:80").is_ok(), "canary");
    let _web = world.attached(10, &["80"], Deny);
    assert!(unanswered(world.client.tcp("192.168.77.2:80")));
}

#[test]
fn the_hosts_loopback_is_not_reached_from_the_bridge() {
    let Some(world) = world() else { return };
    world.host.serve_tcp("127.0.0.1:631");
    world.neighbour.sh(
        "ip route add 127.0.0.5/32 via 10.10.20.1 dev eth0 src 10.10.20.200 table 5; ip rule add to 127.0.0.1 lookup 5 pref 1
         ip rule add pref 10 lookup local; ip rule del pref 0; ip route replace 127.0.0.1/32 via 10.10.20.1 dev eth0 src 10.10.20.200 table 5
         echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet",
    );
    assert!(world.neighbour.tcp("127.0.0.1:631").is_ok(), "canary");
    let _web = world.attached(10, &["80"], Deny);
    assert!(unanswered(world.neighbour.tcp("127.0.0.1:631")));
    assert!(world.host.tcp("127.0.0.1:631").is_ok());
}

#[test]
fn the_hosts_rules_after_the_last_jail_are_those_before_the_first() {
    let Some(world) = world() else { return };
    world.host.sh(
        "nft add table inet admin; nft add chain inet admin input '{ type filter hook input priority 0; }'",
    );
    let before = world.rules();
    let (web, db) = (world.attached(10, &["80", "7000-7010"], Deny), world.jail(11, &["81"], Allow));
    let alone = world.rules();
    world.attach(&db).unwrap();
    assert!(world.check(&web).differences.is_empty() && world.check(&db).differences.is_empty());
    world.detach(&db, false);
    assert_eq!(world.rules(), alone);
    world.detach(&db, false);
    world.detach(&web, true);
    assert_eq!(world.rules(), before);
    world.detach(&web, true);
}

#[test]
fn a_port_that_another_jail_publishes_is_a_conflict_that_names_it_and_leaves_nothing() {
    let Some(world) = world() else { return };
    let web = world.attached(10, &["80", "192.0.2.1:8080:80", "7000-7010"], Deny);
    let alone = world.rules();
    for port in ["80", "192.0.2.1:8080", "7005-7006"] {
        let second = world.jail(11, &["81", port], Deny);
        let failure = world.attach(&second).unwrap_err();
        assert_eq!(failure.kind, Kind::Conflict);
        assert!(failure.message.contains(&web.want.jail.to_string()), "{failure}");
        assert!(failure.message.starts_with("--publish="), "{failure}");
        assert_eq!(world.rules(), alone, "port {port}");
        assert_eq!(second.net.sh("nft list ruleset"), "");
        world.host.sh(&format!("ip link del {}", second.want.attachments[0].host_interface));
    }
}

#[test]
fn what_is_removed_is_the_jails_own_and_never_its_successors() {
    let Some(world) = world() else { return };
    let old = world.attached(10, &["80", "81"], Deny);
    let other = world.attached(11, &["443"], Deny);
    world.detach_without_undo(&old);
    assert!(world.check(&other).differences.is_empty());
    let mut new = world.jail(12, &["80"], Deny);
    new.want.attachments[0].addresses = old.want.attachments[0].addresses.clone();
    world.attach(&new).unwrap();
    let now = world.rules();
    world.detach(&old, false);
    assert_eq!(world.rules(), now, "the address and the port are another jail's by now");
}

#[test]
fn gc_removes_what_dead_jails_left_and_with_nobody_alive_the_tables() {
    let Some(world) = world() else { return };
    let before = world.rules();
    let web = world.attached(10, &["80"], Deny);
    let alone = world.rules();
    let dead = world.attached(11, &["81", "7000-7010", "53/udp"], Allow);
    let reaped = world.gc(std::slice::from_ref(&web.want.jail));
    assert_eq!(reaped.removed.len(), 1);
    assert!(reaped.removed[0].contains(&dead.want.jail.to_string()));
    assert_eq!(world.rules(), alone);
    assert!(world.gc(std::slice::from_ref(&web.want.jail)).removed.is_empty());
    assert_eq!(world.gc(&[]).removed, ["table inet jail", "table bridge jail"]);
    assert_eq!(world.rules(), before);
    assert!(world.gc(&[]).removed.is_empty());
}

#[test]
fn jails_that_start_and_stop_at_once_do_not_disturb_each_other() {
    let Some(world) = world() else { return };
    let before = world.rules();
    let jails: Vec<_> = (20..32).map(|n| world.jail(n, &[&format!("80{n}")], Deny)).collect();
    std::thread::scope(|scope| {
        let starts: Vec<_> = jails.iter().map(|jail| scope.spawn(|| world.attach(jail))).collect();
        for start in starts {
            start.join().unwrap().unwrap();
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
