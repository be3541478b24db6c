//! Networks: made, adopted, listed, removed.

use jail_tests::{Host, Snapshot};

#[test]
fn a_network_is_a_bridge_with_the_subnets_first_address() {
    let host = Host::new();
    let before = Snapshot::of(&host);
    host.jail("net create dmz --subnet=10.10.20.0/24 --bridge=br0").succeeds();
    host.sh("ip -o -4 address show br0").prints("10.10.20.1/24").succeeds();
    host.jail("net list").prints("dmz").succeeds();
    let list = host.jail("--json net list").json();
    assert_eq!(list[0]["name"], "dmz");
    assert_eq!(list[0]["bridge"], "br0");
    host.sh("test -n \"$(ls -A /etc/jail/networks)\"").succeeds();
    host.jail("net rm dmz").succeeds();
    host.sh("ip link show br0").fails();
    before.still_holds(&host);
}

#[test]
fn without_a_bridge_it_is_named_after_the_network() {
    let host = Host::new();
    host.jail("net create lab --subnet=10.10.30.0/24").succeeds();
    host.sh("ip -o -4 address show jail-lab").prints("10.10.30.1/24").succeeds();
}

#[test]
fn a_jail_is_put_on_a_network_by_the_networks_name_or_the_bridges() {
    let host = Host::new();
    host.dmz();
    for net in ["dmz", "br0"] {
        host.jailed(&format!("--net={net}"), "ip -o -4 address show eth0").prints("10.10.20.").succeeds();
    }
    host.jailed("--net=none-such", "true").exits(125).says_in_one_sentence(&["none-such"]);
}

#[test]
fn a_network_that_is_not_there_is_proposed_with_a_subnet_that_is_free() {
    let host = Host::new();
    host.dmz();
    host.sh("ip route add 10.10.21.0/24 via 192.0.2.2; ip address add 10.10.22.1/24 dev eth1").succeeds();
    let refused = host.jailed("--net=br7", "true");
    refused.exits(125).says_in_one_sentence(&["br7", "--subnet=10.10.23.0/24"]);
    let proposed = refused.stderr.split_once("make it with: ").unwrap().1;
    host.sh(proposed).succeeds();
    host.jailed("--net=br7", "true").succeeds();
}

#[test]
fn a_bridge_that_is_missing_is_made_again_by_the_first_jail() {
    let host = Host::new();
    host.dmz();
    host.sh("ip link del br0").succeeds();
    host.jailed("--net=dmz --ip=10.10.20.10", "true").succeeds();
    host.sh("ip -o -4 address show br0").prints("10.10.20.1/24").succeeds();
}

#[test]
fn a_bridge_of_somebody_elses_is_adopted_and_never_removed() {
    let host = Host::new();
    host.foreign_bridge();
    let before = Snapshot::of(&host);
    host.dmz();
    host.jailed("--net=dmz --ip=10.10.20.10", "true").succeeds();
    host.jail("gc").succeeds(); // returns when the link is gone
    host.jail("net rm dmz").succeeds();
    before.still_holds(&host);
}

#[test]
fn an_adopted_bridge_keeps_the_mac_that_its_other_users_know() {
    let host = Host::new();
    host.sh("ip link add br0 type bridge; ip address add 10.10.20.1/24 dev br0; ip link set br0 up")
        .succeeds();
    host.foreign_port("admin", "10.10.20.99");
    // Of all MACs for a port hardly one is higher: a bridge that was given none takes the lowest of its ports'.
    host.sh("ip link set admin address fe:00:00:00:00:01").succeeds();
    let mac = "cat /sys/class/net/br0/address";
    host.until(&format!("{mac} | grep -q fe:00:00:00:00:01")).succeeds();
    host.jailed("--net=br0", "true").succeeds();
    host.jail("run -d --name=web --net=br0 -- sleep inf").succeeds();
    assert_eq!(host.sh(mac).succeeds(), "fe:00:00:00:00:01");
}

#[test]
fn a_network_in_use_is_not_removed() {
    let host = Host::new();
    host.web();
    host.jail("net rm dmz").exits(125).says_in_one_sentence(&["dmz", "web"]);
    host.sh("ip link show br0").succeeds();
}

#[test]
fn a_network_is_removed_by_its_own_name_and_not_by_its_bridges() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    host.jail("net rm br0").exits(125).says_in_one_sentence(&["br0", "jail net rm dmz"]);
    before.still_holds(&host);
    host.jail("net rm dmz").succeeds();
}

#[test]
fn a_misspelt_network_is_told_with_the_one_it_is_much_like() {
    let host = Host::new();
    host.dmz();
    for (wrong, near) in [("eth7", "eth0"), ("BR0", "br0"), ("br9", "br0"), ("dmzz", "dmz"), ("Host", "host")]
    {
        let refused = host.jailed(&format!("--net={wrong}"), "echo it ran");
        refused.exits(125).says_in_one_sentence(&[wrong, &format!("did you mean {near}?"), "net create"]);
    }
    let far = host.jailed("--net=wlan0", "echo it ran");
    far.exits(125).says_in_one_sentence(&["wlan0"]);
    assert!(!far.stderr.contains("did you mean"), "{far}");
}

#[test]
fn a_bridge_that_is_down_is_refused_with_the_command_that_switches_it_on() {
    let host = Host::new();
    host.dmz();
    host.sh("ip link add br2 type bridge; ip address add 10.10.40.1/24 dev br2; ip link set br0 down")
        .succeeds();
    for (net, bridge) in [("br2", "br2"), ("dmz", "br0"), ("br0", "br0")] {
        let before = Snapshot::of(&host);
        let refused = host.jailed(&format!("--net={net} -p 80"), "echo it ran");
        refused.exits(125).says_in_one_sentence(&[&format!("{bridge} is down; switch it on with: ")]);
        host.jail(&format!("plan --net={net} -- true")).exits(125).says(&format!("{bridge} is down"));
        before.still_holds(&host);
        host.sh(refused.stderr.split_once("switch it on with: ").unwrap().1).succeeds();
        host.jailed(&format!("--net={net} -p 80"), "true").succeeds();
        host.sh(&format!("ip link set {bridge} down")).succeeds();
    }
    // Without its address it is not down but half made.
    host.sh("ip address flush dev br0").succeeds();
    host.jailed("--net=dmz", "true").succeeds();
    host.sh("ip -o -4 address show up dev br0").prints("10.10.20.1/24").succeeds();
}

#[test]
fn networks_that_make_no_sense_are_refused_in_a_sentence() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    for arguments in [
        "dmz --subnet=10.10.40.0/24",
        "other --subnet=10.10.20.0/25 --bridge=br1",
        "other --subnet=192.168.7.0/24",
        "other --subnet=10.0.0.0/33",
        "other --subnet=nonsense",
        "other --subnet=10.10.40.0",
        "../x --subnet=10.10.40.0/24",
        "other --subnet=10.10.40.0/24 --bridge=a-name-that-is-too-long",
        "other --subnet=10.10.40.0/24 --bridge=eth0",
    ] {
        let refused = host.jail(&format!("net create {arguments}"));
        assert!([2, 125].contains(&refused.status), "{refused}");
    }
    host.jail("net rm none-such").exits(125).says_in_one_sentence(&["none-such"]);
    before.still_holds(&host);
}

#[test]
fn a_subnet_that_is_not_for_hosts_or_a_name_that_is_no_bridges_is_a_usage_error_and_leaves_nothing() {
    let host = Host::new();
    let before = Snapshot::of(&host);
    for subnet in
        ["169.254.7.0/24", "0.1.0.0/24", "240.0.0.0/24", "127.3.0.0/16", "224.0.0.0/24", "0.0.0.0/0"]
    {
        host.jail(&format!("net create x --subnet={subnet}")).exits(2).says_in_one_sentence(&[subnet]);
    }
    for bridge in [".", "..", "all", "default", "br*", "@br", "br%d", "a:b"] {
        let refused = host.jail(&format!("net create x --subnet=10.10.40.0/24 '--bridge={bridge}'"));
        refused.exits(2).says_in_one_sentence(&[&format!("'{bridge}'")]);
    }
    before.still_holds(&host);
}

#[test]
fn a_network_that_cannot_be_made_leaves_no_bridge() {
    let host = Host::new();
    let before = Snapshot::of(&host);
    // Its directory takes no file, and later the bridge no address.
    host.sh("mkdir -p /etc/jail; mount -t tmpfs -o ro none /etc/jail").succeeds();
    host.jail("net create x --subnet=10.10.40.0/24").exits(125);
    host.sh("umount /etc/jail").succeeds();
    host.sh("mkdir /run/shut; mount --bind -o ro /proc/sys /proc/sys").succeeds();
    host.jail("net create x --subnet=10.10.40.0/24").exits(125);
    host.sh("umount /proc/sys; rmdir /run/shut; find /etc/jail -type d -empty -delete").succeeds();
    before.still_holds(&host);
}

#[test]
fn of_networks_made_at_once_with_one_subnet_one_is_made() {
    let host = Host::new();
    let create =
        "for i in 1 2 3 4 5 6; do jail net create r$i --subnet=10.88.0.0/24 2>/dev/null & done; wait";
    for _ in 0..5 {
        host.sh(create).succeeds();
        let made = host.jail("net list").succeeds().to_owned();
        assert_eq!(made.lines().count(), 1, "{made}");
        host.jail(&format!("net rm {}", made.split(':').next().unwrap())).succeeds();
    }
}

#[test]
fn a_name_by_which_net_means_another_network_is_refused() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    let refused = |arguments: &str| {
        host.jail(&format!("net create {arguments}")).exits(125).says_in_one_sentence(&["dmz"]);
    };
    refused("br0 --subnet=10.66.0.0/24");
    refused("other --subnet=10.10.20.0/24 --bridge=br0");
    refused("other --subnet=10.66.0.0/24 --bridge=dmz");
    before.still_holds(&host);
    let long = "x".repeat(300);
    host.jailed(&format!("--net={long}"), "true").exits(125).says_in_one_sentence(&[&long, "jail net list"]);
}

#[test]
fn a_name_by_which_net_means_an_interface_of_the_hosts_is_refused() {
    let host = Host::new();
    let before = Snapshot::of(&host);
    let refused = host.jail("net create eth1 --subnet=10.77.0.0/24");
    refused.exits(125).says_in_one_sentence(&["interface eth1", "--net=eth1", "another name"]);
    assert_eq!(host.jail("net list").succeeds(), "");
    before.still_holds(&host);
    // The network's own bridge is no other thing.
    host.jail("net create br0 --subnet=10.77.0.0/24 --bridge=br0").succeeds();
    host.jail("net rm br0").succeeds();
    host.sh("ip link add br0 type bridge; ip address add 10.77.0.1/24 dev br0").succeeds();
    host.jail("net create br0 --subnet=10.77.0.0/24 --bridge=br0").succeeds();
}

#[test]
fn a_file_that_is_no_network_takes_no_other_along() {
    let host = Host::new();
    host.dmz();
    let networks = "/etc/jail/networks";
    host.sh(&format!("echo {{ >{networks}/bad.json; mkdir {networks}/d.json; mkfifo {networks}/f.json"))
        .succeeds();
    let list = host.jail("net list");
    for file in ["bad.json", "d.json", "f.json"] {
        list.prints("dmz").says(file).says("remove it").exits(0);
    }
    host.jailed("--net=br0", "true").succeeds();
    host.jailed("--net=dmz -p 80", "true").succeeds();
    host.jailed("--net=bad", "true").exits(125).says_in_one_sentence(&["bad.json"]);
    host.jailed("--net=dmz --egress=allow", "true")
        .exits(125)
        .says_in_one_sentence(&["--egress=allow", ".json"]);
    host.jail("net create ok --subnet=10.99.0.0/24").succeeds();
    host.jail("net rm ok").succeeds();
    host.jail("net rm bad").exits(125).says_in_one_sentence(&["bad.json"]);
    host.jail("net rm dmz").succeeds();
}

#[test]
fn leased_addresses_differ_and_none_but_the_subnets_is_taken() {
    let host = Host::new();
    host.dmz();
    let _one = host.start_jailed("--name=one --net=br0", "sleep inf");
    let _two = host.start_jailed("--name=two --net=br0", "sleep inf");
    let address = |jail| host.join(jail, "ip -o -4 address show eth0 | grep -o '10.10.20.[0-9]*' | head -1");
    assert_ne!(address("one").succeeds(), address("two").succeeds());
    for address in ["10.10.20.1", "10.10.20.0", "10.10.20.255", "10.10.21.5"] {
        host.jailed(&format!("--net=br0 --ip={address}"), "true").exits(125).says_in_one_sentence(&[address]);
    }
}

#[test]
fn the_jail_knows_its_gateway_and_the_name_server_it_was_given() {
    let host = Host::new();
    host.dmz();
    host.jailed("--net=br0", "ip route").prints("default via 10.10.20.1").succeeds();
    host.jailed("--net=br0 --defaultgw=10.10.20.7", "ip route").prints("default via 10.10.20.7").succeeds();
    host.jailed("--net=br0 --dns=10.10.20.53", "cat /etc/resolv.conf")
        .prints("nameserver 10.10.20.53")
        .succeeds();
}

#[test]
fn plan_tells_every_change_on_the_host_and_makes_none() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    let plan = host.jail("plan --name=web --net=br0 --publish=8080:80 -- nginx");
    plan.prints("  net.ipv4.conf.eth0.forwarding = 1").prints("tcp port 8080 of every address");
    plan.prints("  eth0: address 10.10.20.2/24").prints("(10.10.20.2 stands for the address");
    let changes = host.jail("--json plan --net=br0 --ip=10.10.20.10 -- nginx").json()["changes"].to_string();
    assert!(changes.contains("eth0: address 10.10.20.10/24"), "{changes}");
    before.still_holds(&host);
}
