//! A host with a DMZ bridge, a client on one side, a LAN on another, a machine that is not a jail on the bridge, and
//! jails: plain network namespaces whose links the test makes as a link backend would.

use jail_net::backend::{Actions, Backend, Detach, Drift, Failure, Reaped, Request};
use jail_net::model::{Attachment, Egress, JailId, Network, Origin, Publish, Segment};

use super::net::Net;
use crate::Nft;

pub(crate) struct World {
    pub(crate) host: Net,
    /// 192.0.2.2, with routes to everything through the host, 192.0.2.1.
    pub(crate) client: Net,
    /// 192.168.77.2, likewise through 192.168.77.1.
    pub(crate) lan: Net,
    /// 10.10.20.200, on another port of the bridge, 10.10.20.1.
    pub(crate) neighbour: Net,
}

pub(crate) struct Jail {
    pub(crate) net: Net,
    pub(crate) want: Request,
}

impl World {
    pub(crate) fn new() -> World {
        let world = World { host: Net::new(), client: Net::new(), lan: Net::new(), neighbour: Net::new() };
        world.host.sh(
            "ip link add br0 address 02:00:00:00:00:01 type bridge; ip addr add 10.10.20.1/24 dev br0; ip link set br0 up
             echo 1 > /proc/sys/net/ipv4/conf/br0/route_localnet; echo 1 > /proc/sys/net/ipv4/conf/br0/forwarding",
        );
        world.plug(&world.client, "wan0", "192.0.2");
        world.plug(&world.lan, "lan0", "192.168.77");
        world.port(&world.neighbour, "vm0", "02:00:00:00:00:c8", "10.10.20.200");
        world
    }

    /// Joins a machine to the host by a link of its own; the host forwards from there.
    fn plug(&self, net: &Net, port: &str, subnet: &str) {
        self.host.sh(&format!(
            "ip link add {port} type veth peer name eth0 netns {}; ip addr add {subnet}.1/24 dev {port}; ip link set {port} up
             echo 1 > /proc/sys/net/ipv4/conf/{port}/forwarding",
            net.path()
        ));
        net.sh(&format!(
            "ip addr add {subnet}.2/24 dev eth0; ip link set eth0 up; ip route add default via {subnet}.1"
        ));
    }

    /// Joins a machine to the bridge.
    fn port(&self, net: &Net, port: &str, mac: &str, address: &str) {
        self.host.sh(&format!(
            "ip link add {port} type veth peer name eth0 address {mac} netns {}; ip link set {port} master br0 up",
            net.path()
        ));
        net.sh(&format!(
            "ip addr add {address}/24 dev eth0; ip link set eth0 up; ip route add default via 10.10.20.1"
        ));
    }

    /// A jail with its link, without any rules yet. `number` is the last byte of its address.
    pub(crate) fn jail(&self, number: u8, publish: &[&str], egress: Egress) -> Jail {
        let jail = Jail { net: Net::new(), want: request(number, publish, egress) };
        let attachment = &jail.want.attachments[0];
        let address = attachment.addresses[0].addr().to_string();
        self.port(&jail.net, &attachment.host_interface, &attachment.mac, &address);
        jail
    }

    /// A jail with its link, beside the host's lan0 and on no bridge; without any rules yet. `last` is the last byte of its
    /// address there.
    pub(crate) fn jail_on_lan(&self, last: u8, egress: Egress) -> Jail {
        let want =
            Request { attachments: vec![on_lan(last)], forwards: vec![], ..request(last, &[], egress) };
        let jail = Jail { net: Net::new(), want };
        self.beside_lan(&jail.net, &jail.want.attachments[0]);
        jail
    }

    /// Gives a jail an interface beside the host's lan0.
    pub(crate) fn beside_lan(&self, net: &Net, attachment: &Attachment) {
        let Attachment { interface, mac, addresses, .. } = attachment;
        let there = net.path();
        self.host.sh(&format!(
            "ip link add link lan0 name {interface} address {mac} netns {there} type macvlan mode bridge"
        ));
        net.sh(&format!("ip addr add {} dev {interface}; ip link set {interface} up", addresses[0]));
    }

    /// The same with its rules.
    pub(crate) fn attached(&self, number: u8, publish: &[&str], egress: Egress) -> Jail {
        let jail = self.jail(number, publish, egress);
        self.attach(&jail).unwrap();
        jail
    }

    pub(crate) fn plan(&self, jail: &Jail) -> Actions {
        wait(Nft.plan(&jail.want)).unwrap()
    }

    pub(crate) fn attach(&self, jail: &Jail) -> Result<(), Failure> {
        use std::os::fd::AsFd;
        let actions = self.plan(jail);
        self.host.enter(|| wait(Nft.attach(&actions, jail.net.as_fd()))).map(drop)
    }

    pub(crate) fn detach(&self, jail: &Jail, last: bool) {
        let undo = self.plan(jail).undo;
        let how = Detach { wait: true, last };
        self.host.enter(|| wait(Nft.detach(&jail.want.jail, Some(&undo), how))).unwrap();
    }

    /// As after a crash that left no journal.
    pub(crate) fn detach_without_undo(&self, jail: &Jail) {
        self.host.enter(|| wait(Nft.detach(&jail.want.jail, None, Detach::default()))).unwrap();
    }

    pub(crate) fn gc(&self, alive: &[JailId]) -> Reaped {
        self.host.enter(|| wait(Nft.gc(alive))).unwrap()
    }

    pub(crate) fn check(&self, jail: &Jail) -> Drift {
        self.host.enter(|| wait(Nft.check(&jail.want))).unwrap()
    }

    /// The host's rules as text, without counters.
    pub(crate) fn rules(&self) -> String {
        self.host.sh("nft -s list ruleset")
    }
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

pub(crate) fn ours() -> Network {
    Network::ours("dmz", "br0", "10.10.20.1/24".parse().unwrap())
}

/// An interface beside the host's lan0.
pub(crate) fn on_lan(last: u8) -> Attachment {
    let segment = Segment::Parent { parent: "lan0".into(), router: None };
    let subnet = Some("192.168.77.1/24".parse().unwrap());
    Attachment {
        network: Network { name: "lan0".into(), segment, subnet, subnet6: None },
        interface: "eth1".into(),
        host_interface: String::new(),
        mac: format!("02:6a:c0:a8:4d:{last:02x}"),
        mtu: None,
        addresses: vec![format!("192.168.77.{last}/24").parse().unwrap()],
        gateways: vec![],
        source_gateways: vec![],
        probe: false,
    }
}

pub(crate) fn request(number: u8, publish: &[&str], egress: Egress) -> Request {
    let jail: JailId = format!("3fa04b11c2{number:02x}").parse().unwrap();
    let publish: Vec<Publish> = publish.iter().map(|text| text.parse().unwrap()).collect();
    let host = ["127.0.0.1/32", "10.10.20.1/32", "10.10.30.1/32", "192.0.2.1/32", "192.168.77.1/32"];
    let others = ["10.10.30.0/24"];
    let adopted = Segment::Bridge { bridge: "br0".into(), origin: Origin::Adopted };
    let network = Network { segment: adopted, ..ours() };
    Request {
        name: format!("web{number}"),
        attachments: vec![Attachment {
            network,
            interface: "eth0".into(),
            host_interface: jail.link_name(0),
            mac: format!("02:6a:0a:0a:14:{number:02x}"),
            mtu: None,
            addresses: vec![format!("10.10.20.{number}/24").parse().unwrap()],
            gateways: vec!["10.10.20.1".parse().unwrap()],
            source_gateways: vec![],
            probe: false,
        }],
        jail,
        published: publish.clone(),
        publish,
        egress,
        off_limits: host.into_iter().chain(others).map(|net| net.parse().unwrap()).collect(),
        forwards: vec!["wan0".into(), "lan0".into()],
    }
}
