//! The options about interfaces, as a spec: each belongs to the last `--net` before it, and before any to the first.

use jail_core::spec::{InterfaceSpec, Ip, Net};
use jail_core::{Failure, Kind};

use crate::args::NetOption;

/// What was typed, in order, as a network.
pub(super) fn net_of(typed: &[NetOption]) -> Result<Net, Failure> {
    let first = typed.iter().position(|option| matches!(option, NetOption::Net(_)));
    let Some(first) = first else {
        return match typed.first() {
            None => Ok(Net::None),
            Some(option) => Err(without_interface(option)),
        };
    };
    let NetOption::Net(name) = &typed[first] else { return Ok(Net::None) };
    if let Some(alone) = typed.iter().find_map(stands_alone) {
        return by_itself(alone, name, typed);
    }
    let mut interfaces = vec![InterfaceSpec::on(name)];
    let rest = typed[..first].iter().chain(&typed[first + 1..]);
    for option in rest {
        match option {
            NetOption::Net(name) => interfaces.push(InterfaceSpec::on(name)),
            other => {
                if let Some(interface) = interfaces.last_mut() {
                    give(interface, other)?;
                }
            }
        }
    }
    Ok(Net::On(interfaces))
}

/// The name of a network that is none of the jail's own, and goes with no other.
fn stands_alone(option: &NetOption) -> Option<&str> {
    match option {
        NetOption::Net(name) if matches!(name.as_str(), "none" | "host") => Some(name),
        _ => None,
    }
}

fn by_itself(alone: &str, first: &str, typed: &[NetOption]) -> Result<Net, Failure> {
    let mut others = typed.iter().filter(|option| **option != NetOption::Net(alone.to_owned()));
    match others.next() {
        None if typed.len() > 1 => {
            let why = format!("--net={alone} is given twice");
            Err(usage(&format!("--net={alone}"), why).hint("leave one of them out"))
        }
        None if alone == "host" => Ok(Net::Host),
        None => Ok(Net::None),
        Some(NetOption::Net(other)) => {
            let (one, two) = if first == alone { (alone, other.as_str()) } else { (first, alone) };
            let why = format!("--net={one} and --net={two} contradict each other");
            Err(usage(&format!("--net={two}"), why).hint("leave one of them out"))
        }
        Some(option) => Err(without_interface(option)),
    }
}

/// Gives an interface what was typed for it.
fn give(interface: &mut InterfaceSpec, option: &NetOption) -> Result<(), Failure> {
    let before = match option {
        NetOption::Net(_) => None,
        NetOption::Ip(ip) => {
            let before = std::mem::replace(&mut interface.ip, *ip);
            (before != Ip::Lease).then_some(NetOption::Ip(before))
        }
        NetOption::Mac(mac) => interface.mac.replace(*mac).map(NetOption::Mac),
        NetOption::Mtu(mtu) => interface.mtu.replace(*mtu).map(NetOption::Mtu),
        NetOption::DefaultGw(gateway) => interface.gateway.replace(*gateway).map(NetOption::DefaultGw),
    };
    let Some(before) = before else { return Ok(()) };
    let why = format!("{} and {} are both for --net={}", words(&before), words(option), interface.net);
    Err(usage(&words(option), why).hint("give one of them; each option belongs to the last --net before it"))
}

fn without_interface(option: &NetOption) -> Failure {
    let option = words(option);
    usage(&option, format!("{option}: it needs a network of the jail's own"))
        .hint("give it one with --net=BRIDGE or --net=NETWORK")
}

fn words(option: &NetOption) -> String {
    match option {
        NetOption::Net(name) => format!("--net={name}"),
        NetOption::Ip(ip) => format!("--ip={ip}"),
        NetOption::Mac(mac) => format!("--mac={mac}"),
        NetOption::Mtu(mtu) => format!("--mtu={mtu}"),
        NetOption::DefaultGw(gateway) => format!("--defaultgw={gateway}"),
    }
}

fn usage(object: &str, message: String) -> Failure {
    Failure::new(Kind::Usage, "network", "parse", object, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Net, Failure> {
        let option = |word: &str| {
            let (name, value) = word.split_once('=').unwrap();
            match name {
                "net" => NetOption::Net(value.to_owned()),
                "ip" => NetOption::Ip(value.parse().unwrap()),
                "mac" => NetOption::Mac(value.parse().unwrap()),
                "mtu" => NetOption::Mtu(value.parse().unwrap()),
                _ => NetOption::DefaultGw(value.parse().unwrap()),
            }
        };
        net_of(&line.split_whitespace().map(option).collect::<Vec<_>>())
    }

    fn interfaces(line: &str) -> Vec<InterfaceSpec> {
        let Net::On(interfaces) = typed(line).unwrap() else { panic!("{line} has no interface") };
        interfaces
    }

    #[test]
    fn an_option_belongs_to_the_last_net_before_it_and_before_any_to_the_first() {
        let two = interfaces("mtu=1400 net=br0 ip=10.10.20.10 net=br1 ip=none mac=02:00:00:00:00:05");
        assert_eq!((two[0].net.as_str(), two[1].net.as_str()), ("br0", "br1"));
        assert_eq!((two[0].ip, two[1].ip), ("10.10.20.10".parse().unwrap(), Ip::None));
        assert_eq!((two[0].mtu, two[1].mtu), (Some(1400), None));
        assert!(two[0].mac.is_none() && two[1].mac.is_some());
        assert_eq!(interfaces("net=br0"), [InterfaceSpec::on("br0")]);
    }

    #[test]
    fn a_second_one_for_the_same_interface_is_refused_with_both() {
        let refused = |line| typed(line).unwrap_err();
        let twice = refused("net=br0 ip=10.10.20.10 ip=none");
        assert_eq!(twice.message, "--ip=10.10.20.10 and --ip=none are both for --net=br0");
        assert_eq!(twice.kind, Kind::Usage);
        let around = refused("mtu=1400 net=br0 mtu=1300 net=br1");
        assert_eq!(around.message, "--mtu=1400 and --mtu=1300 are both for --net=br0");
    }

    #[test]
    fn none_and_host_stand_alone() {
        assert_eq!(typed("").unwrap(), Net::None);
        assert_eq!(typed("net=none").unwrap(), Net::None);
        assert_eq!(typed("net=host").unwrap(), Net::Host);
        let refused = |line| typed(line).unwrap_err().message;
        assert_eq!(refused("net=br0 net=none"), "--net=br0 and --net=none contradict each other");
        assert_eq!(refused("net=host net=br0"), "--net=host and --net=br0 contradict each other");
        assert_eq!(refused("net=none net=host"), "--net=none and --net=host contradict each other");
        assert_eq!(refused("net=none net=none"), "--net=none is given twice");
        assert_eq!(refused("net=host net=host"), "--net=host is given twice");
        assert_eq!(refused("net=none ip=10.0.0.1"), "--ip=10.0.0.1: it needs a network of the jail's own");
        assert_eq!(refused("mtu=1400"), "--mtu=1400: it needs a network of the jail's own");
    }
}
