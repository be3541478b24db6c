//! A host with a DMZ bridge, a client on one side, a LAN on another, a machine that is not a jail on the bridge, and
//! jails: plain network namespaces whose links the test makes as a link backend would.

use std::os::fd::AsFd;

use tempfile::TempDir;

use super::{Must, Net, Subject};
use crate::backend::{Actions, Backend, Detach, Drift, Failure, Reaped, Request};
use crate::model::{Attachment, Egress, JailId, Network, Origin, Publish, Segment};

/// A host and its neighbours.
#[derive(Debug)]
pub struct World<'a> {
    /// What makes the rules.
    pub subject: &'a Subject,
    /// 192.0.2.1, 192.168.77.1, and 10.10.20.1 on the bridge br0.
    pub host: Net,
    /// 192.0.2.2, with routes to everything through the host, 192.0.2.1.
    pub client: Net,
    /// 192.168.77.2, likewise through 192.168.77.1.
    pub lan: Net,
    /// 10.10.20.200, on another port of the bridge, 10.10.20.1.
    pub neighbour: Net,
    /// Where the backend keeps its locks.
    pub run: TempDir,
}

/// A jail: its namespace, and what is asked of the backend for it.
#[derive(Debug)]
pub struct Jail {
    /// Its network namespace.
    pub net: Net,
    /// What is asked for.
    pub want: Request,
}

impl<'a> World<'a> {
    pub(super) fn new(subject: &'a Subject) -> Self {
        let [host, client, lan, neighbour] = [(); 4].map(|()| Net::made());
        let world = World { subject, host, client, lan, neighbour, run: tempfile::tempdir().must() };
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
    pub fn jail(&self, number: u8, publish: &[&str], egress: Egress) -> Jail {
        let jail = Jail { net: Net::made(), want: request(number, publish, egress) };
        let attachment = &jail.want.attachments[0];
        let address = attachment.addresses[0].addr().to_string();
        self.port(&jail.net, &attachment.host_interface, &attachment.mac, &address);
        jail
    }

    /// A jail with its link, beside the host's lan0 and on no bridge; without any rules yet. `last` is the last byte of its
    /// address there.
    pub fn jail_on_lan(&self, last: u8, egress: Egress) -> Jail {
        let want =
            Request { attachments: vec![on_lan(last)], forwards: vec![], ..request(last, &[], egress) };
        let jail = Jail { net: Net::made(), want };
        self.beside_lan(&jail.net, &jail.want.attachments[0]);
        jail
    }

    /// Gives a jail an interface beside the host's lan0.
    pub fn beside_lan(&self, net: &Net, attachment: &Attachment) {
        let Attachment { interface, mac, addresses, .. } = attachment;
        let there = net.path();
        self.host.sh(&format!(
            "ip link add link lan0 name {interface} address {mac} netns {there} type macvlan mode bridge"
        ));
        net.sh(&format!("ip addr add {} dev {interface}; ip link set {interface} up", addresses[0]));
    }

    /// The same with its rules.
    pub fn attached(&self, number: u8, publish: &[&str], egress: Egress) -> Jail {
        let jail = self.jail(number, publish, egress);
        self.attach(&jail).must();
        jail
    }

    fn backend(&self) -> Box<dyn Backend> {
        (self.subject.backend)(self.run.path(), self.run.path())
    }

    /// What its attach will do.
    pub fn plan(&self, jail: &Jail) -> Actions {
        self.host.enter(|| wait(self.backend().plan(&jail.want))).must()
    }

    /// Gives a jail its rules.
    ///
    /// # Errors
    /// What the backend answers.
    pub fn attach(&self, jail: &Jail) -> Result<(), Failure> {
        let actions = self.plan(jail);
        self.host.enter(|| wait(self.backend().attach(&actions, jail.net.as_fd()))).map(drop)
    }

    /// Takes them away, with the undo.
    pub fn detach(&self, jail: &Jail, last: bool) {
        self.try_detach(jail, last).must();
    }

    /// The same where it may fail.
    ///
    /// # Errors
    /// What the backend answers.
    pub fn try_detach(&self, jail: &Jail, last: bool) -> Result<(), Failure> {
        let undo = self.plan(jail).undo;
        let how = Detach { wait: true, last };
        self.host.enter(|| wait(self.backend().detach(&jail.want.jail, Some(&undo), how)))
    }

    /// As after a crash that left no journal.
    pub fn detach_without_undo(&self, jail: &Jail) {
        self.host.enter(|| wait(self.backend().detach(&jail.want.jail, None, Detach::default()))).must();
    }

    /// What gc does with these alive.
    pub fn gc(&self, alive: &[JailId]) -> Reaped {
        self.host.enter(|| wait(self.backend().gc(alive))).must()
    }

    /// What is not as it should be.
    pub fn check(&self, jail: &Jail) -> Drift {
        self.host.enter(|| wait(self.backend().check(&jail.want))).must()
    }

    /// The host's rules as text, without counters.
    pub fn rules(&self) -> String {
        self.host.sh(self.subject.list)
    }
}

/// Drives a call of a backend's to its end, as a plugin does.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().must().block_on(future)
}

/// A network of ours on the bridge br0.
pub fn ours() -> Network {
    Network::ours("dmz", "br0", "10.10.20.1/24".parse().must())
}

/// An interface beside the host's lan0.
pub fn on_lan(last: u8) -> Attachment {
    let segment = Segment::Parent { parent: "lan0".into(), router: None };
    let subnet = Some("192.168.77.1/24".parse().must());
    Attachment {
        network: Network { name: "lan0".into(), segment, subnet, subnet6: None },
        interface: "eth1".into(),
        host_interface: String::new(),
        mac: format!("02:6a:c0:a8:4d:{last:02x}"),
        mtu: None,
        addresses: vec![format!("192.168.77.{last}/24").parse().must()],
        gateways: vec![],
        source_gateways: vec![],
        probe: false,
    }
}

/// What is asked of a backend for a jail `10.10.20.NUMBER` on the bridge br0 of somebody else's.
pub fn request(number: u8, publish: &[&str], egress: Egress) -> Request {
    let jail: JailId = format!("3fa04b11c2{number:02x}").parse().must();
    let publish: Vec<Publish> = publish.iter().map(|text| text.parse().must()).collect();
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
            addresses: vec![format!("10.10.20.{number}/24").parse().must()],
            gateways: vec!["10.10.20.1".parse().must()],
            source_gateways: vec![],
            probe: false,
        }],
        jail,
        published: publish.clone(),
        publish,
        egress,
        off_limits: host.into_iter().chain(others).map(|net| net.parse().must()).collect(),
        forwards: vec!["wan0".into(), "lan0".into()],
    }
}
