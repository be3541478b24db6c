//! The plugin on a host of its own with a LAN on eth1: every test makes network namespaces, and they end with it. Needs
//! root.
#![cfg(test)]
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::future::Future;
use std::os::fd::AsFd;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use jail_net::backend::{Attached, Backend, Detach, Failure, Kind, Request, Support};
use jail_net::model::{Attachment, JailId, Network, Segment};
use jail_net::plugin::{self, Plugin};
use nix::sched::{CloneFlags, setns, unshare};

/// The machine in the LAN, 192.168.7.2.
struct Lan(File);

/// Runs `test` on a thread whose network namespace is a new one, 192.168.7.1 on eth1.
fn on_a_host<T: Future<Output = ()>>(test: impl FnOnce(Plugin, Lan) -> T + Send + 'static) {
    let host = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).expect("these tests need root");
        let lan = namespace();
        let there = format!("/proc/{}/fd/{}", std::process::id(), std::os::fd::AsRawFd::as_raw_fd(&lan));
        sh(&format!(
            "ip link add eth1 type veth peer name eth0 address 02:00:00:00:00:02 netns {there}
             ip address add 192.168.7.1/24 dev eth1; ip link set lo up; ip link set eth1 up"
        ));
        inside(&lan, || sh("ip address add 192.168.7.2/24 dev eth0; ip link set eth0 up"));
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(test(macvlan(), Lan(lan)));
    });
    if let Err(panic) = host.join() {
        std::panic::resume_unwind(panic);
    }
}

/// The plugin as `cargo build` left it: cargo builds no cdylib for a test. Loaded from a copy, since the build tree may
/// be one that others can write.
fn macvlan() -> Plugin {
    let library = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("libjail_macvlan.so");
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("libjail_macvlan.so");
    fs::copy(library, &copy).expect("cargo build -p jail-macvlan comes first");
    plugin::load(&copy).unwrap()
}

/// A network namespace without processes: it lives as long as this descriptor. It begins as one that forwards.
fn namespace() -> File {
    let make = || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        fs::write("/proc/sys/net/ipv4/conf/default/forwarding", "1").unwrap();
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
    let output = Command::new("sh").args(["-ec", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Lan {
    /// The MAC that the machine in the LAN knows an address by, asking for it anew.
    fn knows(&self, address: &str) -> String {
        inside(&self.0, || {
            sh(&format!("ip neighbour del {address} dev eth0 2>/dev/null || true"));
            let end = Instant::now() + Duration::from_secs(5);
            let ask = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
            ask.send_to(b"?", format!("{address}:9")).unwrap();
            loop {
                let known = sh(&format!("ip neighbour show {address}"));
                if known.contains("lladdr") || known.contains("FAILED") || Instant::now() > end {
                    return known;
                }
                thread::yield_now();
            }
        })
    }
}

fn id() -> JailId {
    "3fa04b11c2d9".parse().unwrap()
}

fn request(network: Network, last: u8) -> Request {
    let attachment = Attachment {
        interface: "eth0".into(),
        host_interface: id().link_name(0),
        mac: format!("02:6a:c0:a8:07:{last:02x}"),
        mtu: None,
        addresses: vec![format!("192.168.7.{last}/24").parse().unwrap()],
        gateways: network.gateway([192, 168, 7, last].into()).into_iter().collect(),
        source_gateways: vec![],
        probe: true,
        network,
    };
    Request {
        jail: id(),
        name: "web".into(),
        attachments: vec![attachment],
        publish: vec![],
        egress: Default::default(),
        off_limits: vec![],
        published: vec![],
        forwards: vec![],
    }
}

async fn beside_eth1(macvlan: &Plugin, last: u8) -> Request {
    request(macvlan.network_of("eth1").await.unwrap().unwrap(), last)
}

async fn attach(macvlan: &Plugin, want: &Request, netns: &File) -> Result<Attached, Failure> {
    let actions = macvlan.plan(want).await?;
    macvlan.attach(&actions, netns.as_fd()).await
}

fn links() -> String {
    sh("ip -o link; ip -o address; ip route show table all; ip rule")
}

#[test]
fn a_jail_gets_its_interface_and_the_host_has_none() {
    on_a_host(async |macvlan, lan| {
        assert_eq!(macvlan.probe().await.unwrap(), Support::Yes);
        let (before, netns) = (links(), namespace());
        let want = beside_eth1(&macvlan, 50).await;
        let attached = attach(&macvlan, &want, &netns).await.unwrap();
        assert_eq!((attached.interfaces[0].name.as_str(), attached.interfaces[0].mtu), ("eth0", 1500));
        assert_eq!(links(), before);
        let eth0 = inside(&netns, || {
            sh("ip -o -details link show eth0; ip -o address show eth0; ip -o link show lo")
        });
        for part in ["macvlan mode bridge", "02:6a:c0:a8:07:32", "192.168.7.50/24", "LOOPBACK,UP"] {
            assert!(eth0.contains(part), "{part} in {eth0}");
        }
        assert!(!eth0.contains("inet6"), "{eth0}");
        assert!(lan.knows("192.168.7.50").contains("02:6a:c0:a8:07:32"));
        assert!(macvlan.check(&want).await.unwrap().differences.is_empty());
        sh("ip link set eth1 down");
        assert_eq!(macvlan.check(&want).await.unwrap().differences, ["interface eth1 is down"]);
        macvlan.detach(&id(), None, Detach { wait: true, last: true }).await.unwrap();
        assert_eq!(macvlan.gc(&[]).await.unwrap().removed, [] as [String; 0]);
    });
}

#[test]
fn it_is_no_router_whatever_its_namespace_began_as_and_answers_for_its_own_address_alone() {
    on_a_host(async |macvlan, lan| {
        let netns = namespace();
        attach(&macvlan, &beside_eth1(&macvlan, 50).await, &netns).await.unwrap();
        let value = |name: &str| {
            inside(&netns, || {
                sh(&format!("cat /proc/sys/net/ipv4/conf/default/{name} /proc/sys/net/ipv4/conf/eth0/{name}"))
            })
        };
        assert_eq!(value("forwarding"), "1\n0\n");
        inside(&netns, || sh("ip address add 192.168.7.60/32 dev lo"));
        assert!(!lan.knows("192.168.7.60").contains("lladdr"));
        inside(&netns, || sh("echo 0 >/proc/sys/net/ipv4/conf/eth0/arp_ignore"));
        assert!(lan.knows("192.168.7.60").contains("lladdr"), "canary");
    });
}

#[test]
fn an_address_that_somebody_uses_is_told_and_another_can_be_had_at_once() {
    on_a_host(async |macvlan, _lan| {
        let netns = namespace();
        let used = beside_eth1(&macvlan, 2).await;
        assert!(macvlan.plan(&used).await.unwrap().probes);
        let attached = attach(&macvlan, &used, &netns).await.unwrap();
        assert_eq!(
            (attached.taken[0].address.to_string(), attached.taken[0].mac.as_str()),
            ("192.168.7.2".into(), "02:00:00:00:00:02")
        );
        assert!(attached.interfaces.is_empty());
        assert_eq!(inside(&netns, || sh("ip -o link")).lines().count(), 1, "nothing is attached");
        let attached = attach(&macvlan, &beside_eth1(&macvlan, 3).await, &netns).await.unwrap();
        assert!(attached.taken.is_empty() && attached.interfaces.len() == 1);

        let mut unasked = used;
        unasked.attachments[0].probe = false;
        assert!(!macvlan.plan(&unasked).await.unwrap().probes);
        assert!(attach(&macvlan, &unasked, &namespace()).await.unwrap().taken.is_empty());
    });
}

#[test]
fn the_interface_of_a_jail_that_has_just_ended_is_waited_for() {
    on_a_host(async |macvlan, lan| {
        for mac in ["02:6a:c0:a8:07:32", "02:6a:c0:a8:07:32", "02:00:00:00:00:05", "02:00:00:00:00:06"] {
            let (netns, mut want) = (namespace(), beside_eth1(&macvlan, 50).await);
            want.attachments[0].mac = mac.into();
            let attached = attach(&macvlan, &want, &netns).await.unwrap();
            assert_eq!(attached.taken, [], "{mac}");
            assert!(lan.knows("192.168.7.50").contains(mac));
        }
    });
}

#[test]
fn a_mac_that_is_there_to_stay_is_refused_and_leaves_nothing() {
    on_a_host(async |macvlan, _lan| {
        let (netns, mut want) = (namespace(), beside_eth1(&macvlan, 50).await);
        sh("ip link set eth1 address 02:00:00:00:00:01");
        want.attachments[0].mac = "02:00:00:00:00:01".into();
        let refused = attach(&macvlan, &want, &netns).await.unwrap_err();
        assert!(refused.message.starts_with("--mac=02:00:00:00:00:01: eth1 has it"), "{refused}");
        assert_eq!(refused.kind, Kind::Conflict);
        assert_eq!(inside(&netns, || sh("ip -o link")).lines().count(), 1);
    });
}

#[test]
fn an_interface_whose_frames_somebody_takes_is_refused() {
    on_a_host(async |macvlan, _lan| {
        sh("ip link add link eth1 name whole type macvlan mode passthru");
        let refused = attach(&macvlan, &beside_eth1(&macvlan, 50).await, &namespace()).await.unwrap_err();
        assert!(
            refused.message.starts_with("--net=eth1: something else takes all that arrives on eth1"),
            "{refused}"
        );
    });
}

#[test]
fn what_sends_from_its_own_address_goes_by_its_own_gateway() {
    on_a_host(async |macvlan, _lan| {
        let (netns, mut want) = (namespace(), beside_eth1(&macvlan, 50).await);
        want.attachments[0].source_gateways = vec!["192.168.7.2".parse().unwrap()];
        attach(&macvlan, &want, &netns).await.unwrap();
        let route =
            |from: &str| inside(&netns, || sh(&format!("ip route get 198.51.100.1 {from} 2>&1 || true")));
        assert!(route("from 192.168.7.50").contains("via 192.168.7.2"), "{}", route("from 192.168.7.50"));
        assert!(!route("").contains("via"), "no default route: {}", route(""));
    });
}

#[test]
fn the_router_is_that_of_the_hosts_own_default_route_there() {
    on_a_host(async |macvlan, _lan| {
        let router = async || match macvlan.network_of("eth1").await.unwrap().unwrap().segment {
            Segment::Parent { router, .. } => router,
            Segment::Bridge { .. } => panic!("eth1 is no bridge"),
        };
        assert_eq!(router().await, None);
        sh(
            "ip route add default via 192.168.7.9 metric 200; ip route add default via 192.168.7.8 metric 100",
        );
        assert_eq!(router().await, Some([192, 168, 7, 8].into()));
        sh("ip route flush default; ip route add default via 10.9.9.9 dev eth1 onlink");
        assert_eq!(router().await, None, "no jail there could reach it");
    });
}

#[test]
fn only_an_ethernet_interface_that_is_up_and_nobodys_port_is_shared() {
    on_a_host(async |macvlan, _lan| {
        sh("ip link add br0 type bridge; ip link add port type veth peer name down; ip link set port master br0 up
            ip tuntap add tun0 mode tun; ip link set tun0 up");
        for (name, words) in [
            ("lo", "the loopback interface cannot be shared"),
            ("tun0", "tun0 is no Ethernet interface"),
            ("port", "port is a port of br0"),
            ("down", "down is down"),
        ] {
            let refused = macvlan.network_of(name).await.unwrap_err();
            assert!(refused.message.starts_with(&format!("--net={name}: {words}")), "{refused}");
            assert!(!refused.hint.is_empty());
        }
        assert_eq!(macvlan.network_of("br0").await.unwrap(), None);
        assert_eq!(macvlan.network_of("none-such").await.unwrap(), None);
        let on_bridge = Network::ours("dmz", "br0", "192.168.7.1/24".parse().unwrap());
        let refused = macvlan.plan(&request(on_bridge, 50)).await.unwrap_err();
        assert_eq!(refused.message, "--net=br0: br0 is a bridge, which gives a jail a port of its own");
        let mut large = beside_eth1(&macvlan, 50).await;
        large.attachments[0].mtu = Some(9000);
        let refused = macvlan.plan(&large).await.unwrap_err();
        assert_eq!(refused.message, "--mtu=9000: eth1 carries at most 1500");
    });
}
