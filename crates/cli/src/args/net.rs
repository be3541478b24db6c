//! `--net` and the options that belong to one interface, in the order they were typed.

use std::net::Ipv4Addr;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use jail_core::network::Mac;
use jail_core::spec::Ip;

/// One option as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NetOption {
    /// `--net`.
    Net(String),
    /// `--ip`.
    Ip(Ip),
    /// `--mac`.
    Mac(Mac),
    /// `--mtu`.
    Mtu(u32),
    /// `--defaultgw`.
    DefaultGw(Ipv4Addr),
}

/// All of them, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetOptions(pub(crate) Vec<NetOption>);

/// The same by name, as clap has them.
#[derive(Debug, Args)]
struct ByName {
    /// ON: a network, bridge or interface
    #[arg(long, value_name = "none|host|ON", help_heading = "Network")]
    net: Vec<String>,
    /// Its address on the --net before it
    #[arg(long, value_name = "A[/LEN]|none", help_heading = "Network")]
    ip: Vec<Ip>,
    /// Its MAC address there
    #[arg(long, value_name = "M", help_heading = "Network")]
    mac: Vec<Mac>,
    /// Its MTU there
    #[arg(long, value_name = "N", value_parser = mtu, help_heading = "Network")]
    mtu: Vec<u32>,
    /// The default gateway, by that --net
    #[arg(long, value_name = "A", value_parser = gateway, help_heading = "Network")]
    defaultgw: Vec<Ipv4Addr>,
}

fn mtu(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (68..=65535).contains(number));
    number.ok_or_else(|| format!("'{text}' is not an MTU (68 to 65535)"))
}

fn gateway(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().map_err(|_| format!("'{text}' is not an IPv4 address"))
}

impl FromArgMatches for NetOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let typed = ByName::from_arg_matches(matches)?;
        let mut all = Vec::new();
        let mut take = |name: &str, options: Vec<NetOption>| {
            all.extend(matches.indices_of(name).into_iter().flatten().zip(options));
        };
        take("net", typed.net.into_iter().map(NetOption::Net).collect());
        take("ip", typed.ip.into_iter().map(NetOption::Ip).collect());
        take("mac", typed.mac.into_iter().map(NetOption::Mac).collect());
        take("mtu", typed.mtu.into_iter().map(NetOption::Mtu).collect());
        take("defaultgw", typed.defaultgw.into_iter().map(NetOption::DefaultGw).collect());
        all.sort_by_key(|(position, _)| *position);
        Ok(NetOptions(all.into_iter().map(|(_, option)| option).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for NetOptions {
    fn augment_args(command: Command) -> Command {
        ByName::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        ByName::augment_args_for_update(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_keep_the_order_they_were_typed_in() {
        let command = NetOptions::augment_args(Command::new("jail"));
        let matches = command
            .get_matches_from("jail --net=br0 --ip=none --net br1 --mtu 1400 --ip=10.0.0.1".split(' '));
        let NetOptions(all) = NetOptions::from_arg_matches(&matches).unwrap();
        let net = |name: &str| NetOption::Net(name.to_owned());
        let ip = |text: &str| NetOption::Ip(text.parse().unwrap());
        assert_eq!(all, [net("br0"), ip("none"), net("br1"), NetOption::Mtu(1400), ip("10.0.0.1")]);
    }
}
