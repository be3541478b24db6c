//! The plugin on a host of its own: every test makes a network namespace that is its host, and ends with it. Needs root.
#![cfg(test)]
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::thread;

use jail_net::backend::{Actions, Backend, Detach, Failure, Kind, Request, Support};
use jail_net::model::{Attachment, JailId, Network, Origin, Segment};
use jail_net::plugin::{self, Plugin};
use nix::sched::{CloneFlags, setns, unshare};

const WAIT: Detach = Detach { wait: true, last: false };

/// Runs `test` on a thread whose network namespace is a new one: programs it starts are in there too.
fn on_a_host<T: Future<Output = ()>>(test: impl FnOnce(Plugin) -> T + Send + 'static) {
    let host = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("these tests need root");
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test(bridge()));
    });
    if let Err(panic) = host.join() {
        std::panic::resume_unwind(panic);
    }
}

/// The plugin as `cargo build` left it: cargo builds no cdylib for a test. Loaded from a copy, since the build tree may
/// be one that others can write.
fn bridge() -> Plugin {
    let library = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("libjail_bridge.so");
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("libjail_bridge.so");
    fs::copy(library, &copy).expect("cargo build -p jail-bridge comes first");
    plugin::load(&copy).unwrap()
}

/// The network namespace of a jail without processes: it lives as long as this descriptor.
fn namespace() -> File {
    let make = || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        File::open("/proc/thread-self/ns/net").unwrap()
    };
    thread::spawn(make).join().unwrap()
}

fn inside<T: Send>(netns: &File, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let there = || {
            setns(netns, CloneFlags::CLONE_NEWNET).unwrap();
            work()
        };
        scope.spawn(there).join().unwrap()
    })
}

fn sh(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Everything `ip` tells of links, addresses and routes, without what follows a carrier in the kernel's own time.
fn state() -> String {
    let all = sh("ip -o link; ip -o addr; ip route show table all; ip -6 route show table all");
    let own_time = |word: &&str| !["linkdown", "state", "UP", "DOWN", "UNKNOWN"].contains(word);
    let line = |line: &str| {
        let line = line.replace("NO-CARRIER,", "").replace(",LOWER_UP", "");
        line.split_whitespace().filter(own_time).collect::<Vec<_>>().join(" ") + "\n"
    };
    all.lines().map(line).collect()
}

fn dmz() -> Network {
    Network::ours("dmz", "br0", "10.10.20.1/24".parse().unwrap())
}

fn adopted(bridge: &str) -> Network {
    Network { segment: Segment::Bridge { bridge: bridge.into(), origin: Origin::Adopted }, ..dmz() }
}

fn id(digits: &str) -> JailId {
    digits.parse().unwrap()
}

fn request(jail: &JailId, network: Network, last: u8) -> Request {
    let attachment = Attachment {
        interface: "eth0".into(),
        host_interface: jail.link_name(0),
        mac: format!("02:6a:0a:0a:14:{last:02x}"),
        mtu: None,
        addresses: vec![format!("10.10.20.{last}/24").parse().unwrap()],
        gateways: network.gateway([10, 10, 20, last].into()).into_iter().collect(),
        source_gateways: vec![],
        probe: true,
        network,
    };
    Request {
        jail: jail.clone(),
        name: "web".into(),
        attachments: vec![attachment],
        publish: vec![],
        egress: Default::default(),
        off_limits: vec![],
        published: vec![],
        forwards: vec![],
    }
}

async fn attach(bridge: &Plugin, want: &Request, netns: &File) -> Result<Actions, Failure> {
    let actions = bridge.plan(want).await?;
    bridge.attach(&actions, netns.as_fd()).await?;
    Ok(actions)
}

#[test]
fn a_host_with_privilege_is_supported() {
    on_a_host(async |bridge| {
        let before = state();
        assert_eq!(bridge.probe().await.unwrap(), Support::Yes);
        assert_eq!(state(), before);
    });
}

#[test]
fn a_bridge_comes_with_a_network_and_goes_with_it() {
    on_a_host(async |bridge| {
        let before = state();
        bridge.network_up(&dmz()).await.unwrap();
        let made = state();
        bridge.network_up(&dmz()).await.unwrap();
        assert_eq!(state(), made, "making it twice is making it once");
        assert!(sh("ip -o link show br0").contains(" 02:6b:"), "a MAC of its own");
        assert!(sh("ip -o link show br0").contains(",UP"));
        assert!(!sh("ip -o addr show br0").contains("fe80"));
        let read = bridge.network_of("br0").await.unwrap().unwrap();
        assert_eq!((read.is_ours(), read.bridge(), read.subnet), (false, Some("br0"), dmz().subnet));

        bridge.network_down(&dmz()).await.unwrap();
        assert_eq!(state(), before);
        bridge.network_down(&dmz()).await.unwrap();
        assert_eq!(bridge.network_of("br0").await.unwrap(), None);
    });
}

#[test]
fn what_is_somebody_elses_is_left_alone() {
    on_a_host(async |bridge| {
        sh("ip link add br0 type bridge; ip link set br0 up; ip link add eth5 type veth peer name far5");
        let before = state();
        let conflict = bridge.network_up(&dmz()).await.unwrap_err();
        assert_eq!(conflict.kind, Kind::Conflict);
        assert!(conflict.message.contains("br0 is there already"), "{conflict}");
        bridge.network_down(&dmz()).await.unwrap();

        assert_eq!(bridge.network_of("eth5").await.unwrap(), None);
        let nic = bridge.plan(&request(&id("3fa04b11c2d9"), adopted("eth5"), 10)).await.unwrap_err();
        assert_eq!(nic.message, "--net=eth5: the interface eth5 is not a bridge");
        let missing = bridge.plan(&request(&id("3fa04b11c2d9"), adopted("br9"), 10)).await.unwrap_err();
        assert_eq!(missing.message, "--net=br9: there is no interface br9");
        assert_eq!(missing.kind, Kind::NotFound);
        assert_eq!(state(), before);
    });
}

#[test]
fn a_jail_gets_its_interface_and_the_host_is_as_before_when_it_ends() {
    on_a_host(async |bridge| {
        bridge.network_up(&dmz()).await.unwrap();
        let before = state();
        let (jail, netns) = (id("3fa04b11c2d9"), namespace());
        let want = request(&jail, dmz(), 10);
        let actions = attach(&bridge, &want, &netns).await.unwrap();

        let eth0 = inside(&netns, || sh("ip -o addr show eth0; ip -o link show eth0; ip route"));
        for part in
            ["10.10.20.10/24", "02:6a:0a:0a:14:0a", "mtu 1500", "default via 10.10.20.1 dev eth0", "LOWER_UP"]
        {
            assert!(eth0.contains(part), "{part} in {eth0}");
        }
        assert!(inside(&netns, || sh("ip -o link show lo")).contains("LOOPBACK,UP"));
        assert!(!(state() + &eth0).contains("fe80"), "no link-local address at either end");
        assert!(sh("ip link show j3fa04b11c2d90").contains("alias jail web"));
        let host = TcpListener::bind("10.10.20.1:80").unwrap();
        inside(&netns, || TcpStream::connect(host.local_addr().unwrap()).unwrap());
        assert!(bridge.check(&want).await.unwrap().differences.is_empty());

        drop(netns);
        bridge.detach(&jail, Some(&actions.undo), WAIT).await.unwrap();
        assert_eq!(state(), before);
        let gone = bridge.check(&want).await.unwrap();
        assert_eq!(gone.differences, ["link j3fa04b11c2d90 is missing"]);
    });
}

#[test]
fn a_missing_bridge_of_ours_is_made_by_the_first_jail() {
    on_a_host(async |bridge| {
        let netns = namespace();
        let actions = attach(&bridge, &request(&id("3fa04b11c2d9"), dmz(), 10), &netns).await.unwrap();
        assert_eq!(actions.words[0], "bridge br0 with 10.10.20.1/24");
        assert_eq!(bridge.network_of("br0").await.unwrap().unwrap().subnet, dmz().subnet);
        let busy = bridge.network_down(&dmz()).await.unwrap_err();
        assert_eq!(busy.message, "the bridge br0 is in use by j3fa04b11c2d90");
    });
}

#[test]
fn a_bridge_whose_maker_died_half_way_is_finished() {
    on_a_host(async |bridge| {
        bridge.network_up(&dmz()).await.unwrap();
        let whole = state();
        sh("ip link set br0 down; ip addr flush dev br0");
        bridge.network_up(&dmz()).await.unwrap();
        assert_eq!(state(), whole);
    });
}

#[test]
fn jails_that_start_at_once_share_the_bridge_they_all_miss() {
    on_a_host(async |bridge| {
        let namespaces: Vec<File> = (0..8).map(|_| namespace()).collect();
        thread::scope(|scope| {
            for (number, netns) in namespaces.iter().enumerate() {
                let bridge = &bridge;
                scope.spawn(move || {
                    let want = request(&id(&format!("{number:012x}")), dmz(), 10 + number as u8);
                    tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .unwrap()
                        .block_on(attach(bridge, &want, netns))
                        .unwrap();
                });
            }
        });
        assert_eq!(sh("ip -o link show master br0").lines().count(), 8);
        assert_eq!(bridge.network_of("br0").await.unwrap().unwrap().subnet, dmz().subnet);
    });
}

#[test]
fn an_attach_that_fails_leaves_nothing() {
    on_a_host(async |bridge| {
        bridge.network_up(&dmz()).await.unwrap();
        let before = state();
        let (jail, netns) = (id("3fa04b11c2d9"), namespace());
        let mut want = request(&jail, dmz(), 10);
        want.attachments[0].gateways = vec!["192.0.2.1".parse().unwrap()]; // not on the link
        let failure = attach(&bridge, &want, &netns).await.unwrap_err();
        assert!(failure.message.starts_with("default route via 192.0.2.1"), "{failure}");
        assert_eq!(state(), before);
    });
}

#[test]
fn a_link_whose_namespace_somebody_holds_is_deleted() {
    on_a_host(async |bridge| {
        bridge.network_up(&dmz()).await.unwrap();
        let before = state();
        let (web, db, netns) = (id("3fa04b11c2d9"), id("aaaaaaaaaaaa"), namespace());
        let actions = attach(&bridge, &request(&web, dmz(), 10), &netns).await.unwrap();
        bridge.detach(&web, Some(&actions.undo), WAIT).await.unwrap();
        assert_eq!(state(), before);

        let (first, second) = (namespace(), namespace());
        attach(&bridge, &request(&web, dmz(), 10), &first).await.unwrap();
        attach(&bridge, &request(&db, dmz(), 11), &second).await.unwrap();
        let reaped = bridge.gc(std::slice::from_ref(&db)).await.unwrap();
        assert_eq!(reaped.removed, ["link j3fa04b11c2d90"]);
        bridge.detach(&db, None, Detach::default()).await.unwrap();
        bridge.detach(&db, None, Detach::default()).await.unwrap();
        assert_eq!(state(), before);
    });
}

#[test]
fn a_larger_mtu_than_the_bridges_is_refused_and_a_smaller_one_is_the_jails_alone() {
    on_a_host(async |bridge| {
        bridge.network_up(&dmz()).await.unwrap();
        let netns = namespace();
        let mut want = request(&id("3fa04b11c2d9"), dmz(), 10);
        want.attachments[0].mtu = Some(9000);
        let refused = bridge.plan(&want).await.unwrap_err();
        assert_eq!(refused.message, "--mtu=9000: br0 carries at most 1500");
        want.attachments[0].mtu = Some(1400);
        attach(&bridge, &want, &netns).await.unwrap();
        assert!(inside(&netns, || sh("ip link show eth0")).contains("mtu 1400"));
        assert!(sh("ip link show br0").contains("mtu 1500"));
    });
}

#[test]
fn a_jail_on_two_bridges_sends_from_each_address_by_its_own_gateway() {
    on_a_host(async |bridge| {
        let (jail, netns) = (id("3fa04b11c2d9"), namespace());
        let other = Network::ours("other", "br1", "10.10.30.1/24".parse().unwrap());
        let mut want = request(&jail, dmz(), 10);
        let first = &mut want.attachments[0];
        first.source_gateways = first.gateways.clone();
        let second = Attachment {
            network: other,
            interface: "eth1".into(),
            host_interface: jail.link_name(1),
            mac: "02:6a:0a:0a:1e:0a".into(),
            addresses: vec!["10.10.30.10/24".parse().unwrap()],
            gateways: vec![],
            source_gateways: vec!["10.10.30.1".parse().unwrap()],
            ..first.clone()
        };
        want.attachments.push(second);
        attach(&bridge, &want, &netns).await.unwrap();
        let route = |words: &str| inside(&netns, || sh(&format!("ip -o route get {words}")));
        assert!(route("198.51.100.1").contains("via 10.10.20.1 dev eth0"));
        assert!(route("198.51.100.1 from 10.10.30.10").contains("via 10.10.30.1 dev eth1"));
        assert!(
            route("10.10.30.7 from 10.10.20.10").contains("via 10.10.20.1 dev eth0"),
            "not by the other network"
        );
        assert!(route("10.10.30.7").contains("dev eth1 src 10.10.30.10"));
    });
}

#[test]
fn only_a_bridge_with_other_machines_on_it_is_asked_for_an_address() {
    on_a_host(async |bridge| {
        sh(
            "ip link add br0 address 02:00:00:00:00:aa type bridge; ip address add 10.10.20.1/24 dev br0; ip link set br0 up",
        );
        let (jail, machine) = (id("3fa04b11c2d9"), namespace());
        let want = |network, last| request(&jail, network, last);
        let other = namespace();
        attach(&bridge, &request(&id("aaaaaaaaaaaa"), adopted("br0"), 11), &other).await.unwrap();
        assert!(!bridge.plan(&want(adopted("br0"), 10)).await.unwrap().probes, "only jails are on it");

        let there = format!("/proc/{}/fd/{}", std::process::id(), std::os::fd::AsRawFd::as_raw_fd(&machine));
        sh(&format!(
            "ip link add vm0 type veth peer name eth0 address 02:00:00:00:00:63 netns {there}; ip link set vm0 master br0 up"
        ));
        inside(&machine, || sh("ip address add 10.10.20.99/24 dev eth0; ip link set eth0 up"));
        let used = bridge.plan(&want(adopted("br0"), 99)).await.unwrap();
        assert!(used.probes);
        let (netns, before) = (namespace(), state());
        let attached = bridge.attach(&used, netns.as_fd()).await.unwrap();
        assert_eq!((attached.taken.len(), attached.taken[0].mac.as_str()), (1, "02:00:00:00:00:63"));
        assert_eq!(state(), before);
        let free = bridge.plan(&want(adopted("br0"), 10)).await.unwrap();
        assert_eq!(bridge.attach(&free, netns.as_fd()).await.unwrap().interfaces.len(), 1);
    });
}

#[test]
fn a_jail_takes_no_address_from_a_router_and_is_none() {
    on_a_host(async |bridge| {
        let netns = namespace();
        inside(&netns, || sh("echo 1 >/proc/sys/net/ipv4/conf/default/forwarding"));
        attach(&bridge, &request(&id("3fa04b11c2d9"), dmz(), 10), &netns).await.unwrap();
        let value = |path: &str| inside(&netns, || sh(&format!("cat /proc/sys/net/{path}")));
        assert_eq!(value("ipv6/conf/eth0/disable_ipv6"), "1\n");
        assert_eq!(value("ipv4/conf/eth0/forwarding"), "0\n");
    });
}
