//! One interface of a jail: what `--ip`, `--mac`, `--mtu` and `--defaultgw` come to on its network, and whether several
//! go together.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use jail_net::mac::Mac;
use jail_net::model::{INTERFACES, Network};
use jail_net::store::Store;
use jail_net::{host, lease};
use jail_sys::{Failure, Kind};

use super::backends::PluginRef;
use super::free;
use super::plan::AttachmentPlan;
use crate::spec::{Address, InterfaceSpec, Ip, NetworkSpec};

/// Decides interface number `index`, on the network that its `--net` means.
pub(super) fn decide(
    index: usize,
    wanted: &InterfaceSpec,
    (network, link): (Network, PluginRef),
    spec: &NetworkSpec,
    store: &Store,
) -> Result<AttachmentPlan, Failure> {
    let gateway = match wanted.ip {
        Ip::None => None,
        Ip::Lease | Ip::Fixed(_) => gateway(wanted, &network, store)?,
    };
    let fixed = match wanted.ip {
        Ip::Fixed(address) => Some(fixed(address, gateway, &network)?),
        Ip::None | Ip::Lease => None,
    };
    if let Some(mac) = wanted.mac {
        refuse_mac(mac, fixed)?;
    }
    if let Some(mtu) = wanted.mtu {
        let on = network.interface();
        host::carries(on, host::mtu(on).unwrap_or(host::DEFAULT_MTU), mtu)?;
    }
    Ok(AttachmentPlan {
        interface: format!("eth{index}"),
        ip: wanted.ip,
        mac: wanted.mac,
        mtu: wanted.mtu,
        gateway,
        default_route: false,
        probe: !spec.no_probe && !network.is_ours(),
        network,
        link,
    })
}

/// Refuses a network whose interface is down: its jails would reach nobody. A bridge of ours that lacks an address of its
/// own is half made, and is made whole when a jail comes on it.
pub(super) fn refuse_down(network: &Network) -> Result<(), Failure> {
    let on = network.interface();
    if !host::is_down(on)? {
        return Ok(());
    }
    let has: Vec<_> = host::addresses()?.into_iter().filter(|address| address.interface == on).collect();
    let half_made = |net: &IpNet| has.iter().all(|address| address.net != *net);
    if network.is_ours() && network.host_addresses().iter().any(half_made) {
        return Ok(());
    }
    let why = format!("{on} is down");
    Err(refused(format!("--net={}", network.name), &why)
        .hint(format!("switch it on with: ip link set {on} up")))
}

/// The address asked for.
fn fixed(asked: Address, gateway: Option<Ipv4Addr>, network: &Network) -> Result<Ipv4Addr, Failure> {
    let Address { address, prefix } = asked;
    let option = format!("--ip={}", Ip::Fixed(asked));
    let length = network.subnet.map(|subnet| subnet.prefix_len());
    if let Some(why) = network.refuses(address) {
        return Err(refused(option, &why).hint(lease::another(network)));
    }
    if gateway == Some(address) {
        let why = format!("{address} is the gateway that --defaultgw names");
        return Err(refused(option, &why).hint(lease::another(network)));
    }
    if let (Some(prefix), Some(length)) = (prefix.filter(|_| prefix != length), length) {
        let why = format!("the subnet of {} is a /{length}, not a /{prefix}", network.interface());
        return Err(refused(option, &why).hint("leave the length away"));
    }
    Ok(address)
}

/// The router for what is sent from the address.
fn gateway(wanted: &InterfaceSpec, network: &Network, store: &Store) -> Result<Option<Ipv4Addr>, Failure> {
    let subnet = subnet_of(&wanted.net, network, store)?;
    let on = network.interface();
    match wanted.gateway {
        Some(gateway) if !subnet.contains(&gateway) => {
            let why = format!("{gateway} is not in {}, the subnet of {on}", subnet.trunc());
            Err(refused(format!("--defaultgw={gateway}"), &why).hint("name a router of that subnet"))
        }
        Some(gateway)
            if subnet.prefix_len() < 31 && [subnet.network(), subnet.broadcast()].contains(&gateway) =>
        {
            let why = format!("no router of {} has the address {gateway}", subnet.trunc());
            Err(refused(format!("--defaultgw={gateway}"), &why).hint("name a router of that subnet"))
        }
        Some(gateway) => Ok(Some(gateway)),
        None => Ok(match network.gateway(subnet.addr().into()) {
            Some(IpAddr::V4(gateway)) => Some(gateway),
            _ => None,
        }),
    }
}

fn subnet_of(name: &str, network: &Network, store: &Store) -> Result<Ipv4Net, Failure> {
    let on = network.interface();
    network.subnet.ok_or_else(|| {
        let option = format!("--net={name}");
        let hint = format!("{}, or leave the jail without one: {option} --ip=none", address_hint(on, store));
        refused(option, &format!("{on} has no IPv4 address")).hint(hint)
    })
}

/// How to give an interface an address, of a subnet that is free.
fn address_hint(interface: &str, store: &Store) -> String {
    let address = free::subnet(store).and_then(|subnet| Some((subnet.hosts().next()?, subnet.prefix_len())));
    match address {
        Some((address, prefix)) => {
            format!("give it one, like: ip address add {address}/{prefix} dev {interface}")
        }
        None => format!("give it one with: ip address add ADDRESS/LENGTH dev {interface}"),
    }
}

/// A MAC that somebody has, or will have.
fn refuse_mac(mac: Mac, address: Option<Ipv4Addr>) -> Result<(), Failure> {
    let option = || format!("--mac={mac}");
    let hint = "choose another, like 02:00:00:00:00:05, or leave --mac away to get one made from the address";
    if mac.is_made_here() && address.map(|address| Mac::of_address(address.into())) != Some(mac) {
        let why = "it begins as those that jail makes from addresses, and may be another jail's";
        return Err(refused(option(), why).hint(hint));
    }
    match host::macs()?.into_iter().find(|(_, theirs)| *theirs == mac) {
        Some((interface, _)) => {
            Err(refused(option(), &format!("it is the MAC of the host's {interface}")).hint(hint))
        }
        None => Ok(()),
    }
}

/// Options that contradict each other on any host.
pub(super) fn refuse_contradictions(asked: &[InterfaceSpec]) -> Result<(), Failure> {
    if asked.is_empty() {
        return Err(usage("--net".to_owned(), "there is no interface to be had").hint("name one"));
    }
    if let Some(fifth) = asked.get(INTERFACES) {
        return Err(usage(
            format!("--net={}", fifth.net),
            &format!("a jail has at most {INTERFACES} interfaces"),
        ));
    }
    let mut gateways = asked.iter().filter_map(|wanted| wanted.gateway);
    if let (Some(first), Some(second)) = (gateways.next(), gateways.next()) {
        let why =
            format!("it and --defaultgw={first} contradict each other, as a jail has one default route");
        return Err(usage(format!("--defaultgw={second}"), &why).hint("leave one of them out"));
    }
    for wanted in asked {
        if let (Ip::None, Some(gateway)) = (wanted.ip, wanted.gateway) {
            let why = format!("--net={} has no address to reach it from (--ip=none)", wanted.net);
            return Err(usage(format!("--defaultgw={gateway}"), &why).hint("leave one of them out"));
        }
    }
    for (at, wanted) in asked.iter().enumerate() {
        if asked[..at].iter().any(|before| wanted.mac.is_some() && before.mac == wanted.mac) {
            let option = wanted.mac.map_or_else(String::new, |mac| format!("--mac={mac}"));
            return Err(usage(option, "two interfaces cannot have the same").hint("leave one of them out"));
        }
    }
    Ok(())
}

/// Two interfaces on one segment, or in one subnet: which of them is to send a packet there?
pub(super) fn refuse_together(
    attachments: &[AttachmentPlan],
    asked: &[InterfaceSpec],
) -> Result<(), Failure> {
    for (at, (one, wanted)) in attachments.iter().zip(asked).enumerate() {
        for before in &attachments[..at] {
            let (option, on) = (format!("--net={}", wanted.net), one.network.interface());
            if before.network.interface() == on {
                let why = format!("{} is on {on} already", before.interface);
                return Err(refused(option, &why).hint("name each network once"));
            }
            if let (Some(subnet), Some(theirs)) = (one.network.subnet, before.network.subnet)
                && host::overlaps(subnet.into(), theirs.into())
                && one.has_address()
                && before.has_address()
            {
                let why = format!(
                    "its subnet {} overlaps {}, that of {}",
                    subnet.trunc(),
                    theirs.trunc(),
                    before.network.interface()
                );
                return Err(
                    refused(option, &why).hint("leave one of them out, or without an address: --ip=none")
                );
            }
        }
    }
    Ok(())
}

/// The jail's one default route: where a `--defaultgw` says, else by the first interface that has a gateway.
pub(super) fn choose_default_route(attachments: &mut [AttachmentPlan], asked: &[InterfaceSpec]) {
    let named = asked.iter().position(|wanted| wanted.gateway.is_some());
    let first = || attachments.iter().position(|attachment| attachment.gateway.is_some());
    if let Some(index) = named.or_else(first) {
        attachments[index].default_route = true;
    }
}

fn refused(option: String, why: &str) -> Failure {
    let message = format!("{option}: {why}");
    Failure::new(Kind::Invalid, "network", "resolve", option, message)
}

fn usage(option: String, why: &str) -> Failure {
    let message = format!("{option}: {why}");
    Failure::new(Kind::Usage, "network", "parse", option, message)
}

#[cfg(test)]
mod tests {
    use jail_net::model::Segment;

    use super::*;

    fn link() -> PluginRef {
        PluginRef { name: "bridge".into(), path: "/usr/lib/jail/plugins/libjail_bridge.so".into() }
    }

    fn dmz() -> Network {
        Network::ours("dmz", "br0", "10.10.20.1/24".parse().unwrap())
    }

    fn other() -> Network {
        Network::ours("other", "br1", "10.10.30.1/24".parse().unwrap())
    }

    fn beside_eth1(router: Option<[u8; 4]>) -> Network {
        let segment = Segment::Parent { parent: "eth1".into(), router: router.map(Ipv4Addr::from) };
        let subnet = Some("192.168.7.1/24".parse().unwrap());
        Network { name: "eth1".into(), segment, subnet, subnet6: None }
    }

    fn asked(ip: &str) -> InterfaceSpec {
        InterfaceSpec { ip: ip.parse().unwrap(), ..InterfaceSpec::on("dmz") }
    }

    fn on(network: Network, wanted: &InterfaceSpec) -> Result<AttachmentPlan, Failure> {
        let store = Store::new("/nonexistent");
        decide(0, wanted, (network, link()), &NetworkSpec::default(), &store)
    }

    fn together(networks: [Network; 2], asked: &[InterfaceSpec; 2]) -> Vec<AttachmentPlan> {
        let mut plans: Vec<_> =
            networks.into_iter().zip(asked).map(|(network, wanted)| on(network, wanted).unwrap()).collect();
        choose_default_route(&mut plans, asked);
        plans
    }

    #[test]
    fn an_address_that_cannot_be_had_is_refused_in_the_users_words() {
        let refused = |ip: &str| on(dmz(), &asked(ip)).unwrap_err().message;
        assert_eq!(
            refused("10.10.21.5"),
            "--ip=10.10.21.5: 10.10.21.5 is not in 10.10.20.0/24, the subnet of br0"
        );
        assert_eq!(refused("10.10.20.5/25"), "--ip=10.10.20.5/25: the subnet of br0 is a /24, not a /25");
        let both = InterfaceSpec { gateway: Some([10, 10, 20, 7].into()), ..asked("10.10.20.7") };
        assert_eq!(
            on(dmz(), &both).unwrap_err().message,
            "--ip=10.10.20.7: 10.10.20.7 is the gateway that --defaultgw names"
        );
        let far = InterfaceSpec { gateway: Some([10, 10, 30, 1].into()), ..InterfaceSpec::on("dmz") };
        assert!(
            on(dmz(), &far).unwrap_err().message.starts_with("--defaultgw=10.10.30.1: 10.10.30.1 is not in")
        );
    }

    #[test]
    fn without_an_address_the_bridge_needs_none_either() {
        let bare = Network { subnet: None, ..dmz() };
        let refused = on(bare.clone(), &InterfaceSpec::on("dmz")).unwrap_err();
        assert_eq!(refused.message, "--net=dmz: br0 has no IPv4 address");
        assert!(refused.hint.contains("--ip=none"), "{refused}");
        let plan = on(bare, &asked("none")).unwrap();
        assert_eq!((plan.gateway, plan.has_address()), (None, false));
    }

    #[test]
    fn the_gateway_beside_a_parent_is_its_router_or_none_and_only_a_bridge_of_ours_is_not_asked_for_the_address()
     {
        let gateway = |router| on(beside_eth1(router), &InterfaceSpec::on("eth1")).unwrap().gateway;
        assert_eq!(gateway(Some([192, 168, 7, 254])), Some([192, 168, 7, 254].into()));
        assert_eq!(gateway(None), None);
        assert!(on(beside_eth1(None), &InterfaceSpec::on("eth1")).unwrap().probe);
        assert!(!on(dmz(), &InterfaceSpec::on("dmz")).unwrap().probe);
    }

    #[test]
    fn a_mac_that_could_be_another_jails_is_refused() {
        let with = |ip: &str, mac: &str| InterfaceSpec { mac: Some(mac.parse().unwrap()), ..asked(ip) };
        let refused = on(dmz(), &with("10.10.20.10", "02:6a:0a:0a:14:0b")).unwrap_err();
        assert!(refused.message.starts_with("--mac=02:6a:0a:0a:14:0b: it begins as those"), "{refused}");
        on(dmz(), &with("10.10.20.10", "02:6a:0a:0a:14:0a")).unwrap();
        on(dmz(), &with("none", "02:00:00:00:00:05")).unwrap();
    }

    #[test]
    fn options_that_contradict_each_other_are_wrong_words() {
        let refused = |asked: &[InterfaceSpec]| refuse_contradictions(asked).unwrap_err();
        let five: Vec<_> = (0..5).map(|number| InterfaceSpec::on(format!("br{number}"))).collect();
        assert_eq!(refused(&five).message, "--net=br4: a jail has at most 4 interfaces");
        assert_eq!(refused(&five).kind, Kind::Usage);
        let gateway = InterfaceSpec { gateway: Some([10, 10, 20, 1].into()), ..asked("none") };
        assert!(refused(&[gateway]).message.contains("--net=dmz has no address to reach it from"));
        let by = |net: &str, last| InterfaceSpec {
            gateway: Some([10, 10, 20, last].into()),
            ..InterfaceSpec::on(net)
        };
        let both = refused(&[by("a", 1), by("b", 2)]);
        assert!(both.message.starts_with("--defaultgw=10.10.20.2: it and --defaultgw=10.10.20.1"), "{both}");
        let mac = InterfaceSpec { mac: Some("02:00:00:00:00:05".parse().unwrap()), ..InterfaceSpec::on("a") };
        let twice = [mac.clone(), InterfaceSpec { net: "b".into(), ..mac }];
        assert!(refused(&twice).message.contains("two interfaces cannot have the same"));
    }

    #[test]
    fn one_default_route_goes_by_the_first_gateway_unless_one_is_named() {
        let routes =
            |plans: Vec<AttachmentPlan>| plans.iter().map(|plan| plan.default_route).collect::<Vec<_>>();
        let [first, second] = [InterfaceSpec::on("dmz"), InterfaceSpec::on("other")];
        assert_eq!(routes(together([dmz(), other()], &[first.clone(), second.clone()])), [true, false]);
        let named = InterfaceSpec { gateway: Some([10, 10, 30, 1].into()), ..second.clone() };
        assert_eq!(routes(together([dmz(), other()], &[first.clone(), named])), [false, true]);
        assert_eq!(routes(together([beside_eth1(None), other()], &[first, second.clone()])), [false, true]);
        assert_eq!(routes(together([dmz(), other()], &[asked("none"), second])), [false, true]);
    }

    #[test]
    fn interfaces_on_one_segment_or_in_one_subnet_are_refused() {
        let both = [InterfaceSpec::on("dmz"), InterfaceSpec::on("other")];
        refuse_together(&together([dmz(), other()], &both), &both).unwrap();
        let same = refuse_together(&together([dmz(), dmz()], &both), &both).unwrap_err();
        assert_eq!(same.message, "--net=other: eth0 is on br0 already");
        let inside = Network { subnet: Some("10.10.20.129/25".parse().unwrap()), ..other() };
        let overlap = refuse_together(&together([dmz(), inside.clone()], &both), &both).unwrap_err();
        assert_eq!(
            overlap.message,
            "--net=other: its subnet 10.10.20.128/25 overlaps 10.10.20.0/24, that of br0"
        );
        let without = [InterfaceSpec::on("dmz"), asked("none")];
        refuse_together(&together([dmz(), inside], &without), &without).unwrap();
    }
}
