//! `AddressLease`: an IPv4 address one jail uses, as a locked file of its name (`/run/jail/address/10.10.20.10`); and the
//! lease of a MAC address that was asked for, likewise (`/run/jail/mac/02:00:00:00:00:05`).
//!
//! The file's text is the [`Holder`]: the jail's name, a space, its id.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::str::FromStr;

use ipnet::Ipv4Net;
use jail_sys::lease::{Lease, Taken};
use jail_sys::{Failure, Kind};

use crate::mac::{self, Mac};
use crate::model::{JailId, Network};

/// Who holds an address. As text: `web 3fa04b11c2d9`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The jail's name.
    pub name: String,
    /// Its id.
    pub id: JailId,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.id)
    }
}

impl FromStr for Holder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, id) = text.rsplit_once(' ').ok_or_else(|| format!("'{text}' names no holder"))?;
        Ok(Holder { name: name.to_owned(), id: id.parse()? })
    }
}

/// An address that is ours until the lease is released or our process and those it was passed to are gone.
#[derive(Debug)]
pub struct AddressLease {
    /// The address.
    pub address: Ipv4Addr,
    /// The locked file.
    pub lease: Lease,
    /// Who held it before and died without giving it back: to be reaped before the address is used.
    pub previous: Option<Holder>,
}

/// Takes the address that was asked for with `--ip`. `dir` exists.
///
/// # Errors
/// `Invalid` when it cannot be a jail's on this network, `Conflict` when somebody has it; what the file system answers.
pub fn take(
    dir: &Path,
    network: &Network,
    address: Ipv4Addr,
    holder: &Holder,
    exclude: &[Ipv4Addr],
) -> Result<AddressLease, Failure> {
    let refused =
        |kind, message| Failure::new(kind, "network", "lease address", format!("--ip={address}"), message);
    if let Some(why) = network.refuses(address) {
        return Err(refused(Kind::Invalid, format!("--ip={address}: {why}")).hint(another(network)));
    }
    if exclude.contains(&address) {
        let message = format!("--ip={address}: {address} is used by the host");
        return Err(refused(Kind::Conflict, message).hint(another(network)));
    }
    match try_take(dir, address, holder).map_err(|error| failed(dir, address, &error))? {
        Ok(lease) => Ok(lease),
        Err(text) => {
            let message = format!("--ip={address}: {address} is used by {}", who(&text));
            Err(refused(Kind::Conflict, message).hint(another(network)))
        }
    }
}

/// Takes a free address. The search starts where the jail's name says, so that it gets the same one again.
///
/// # Errors
/// `Conflict` when none is free, `Invalid` when the network has no IPv4 subnet; what the file system answers.
pub fn choose(
    dir: &Path,
    network: &Network,
    holder: &Holder,
    exclude: &[Ipv4Addr],
) -> Result<AddressLease, Failure> {
    let refused = |kind, message| {
        Failure::new(kind, "network", "lease address", format!("--net={}", network.name), message)
    };
    let Some(subnet) = network.subnet else {
        let interface = network.interface();
        let message = format!("--net={}: {interface} has no IPv4 address", network.name);
        return Err(refused(Kind::Invalid, message)
            .hint(format!("give it one, or give the jail none with: --net={} --ip=none", network.name)));
    };
    for address in candidates(subnet, &holder.name) {
        if network.refuses(address).is_some() || exclude.contains(&address) {
            continue;
        }
        match try_take(dir, address, holder) {
            Ok(Ok(lease)) => return Ok(lease),
            Ok(Err(_theirs)) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {} // no lease, and in nobody's way
            Err(error) => return Err(failed(dir, address, &error)),
        }
    }
    let message = format!("--net={}: no address of {} is free", network.name, subnet.trunc());
    Err(refused(Kind::Conflict, message).hint("stop a jail on it (jail list), or make a larger network"))
}

/// Takes the MAC address that was asked for with `--mac`. `dir` exists.
///
/// # Errors
/// `Conflict` when another jail has it; what the file system answers.
pub fn take_mac(dir: &Path, mac: Mac, holder: &Holder) -> Result<Lease, Failure> {
    let path = dir.join(mac.to_string());
    match Lease::take(&path, &holder.to_string()) {
        Ok(Taken::Ours { lease, .. }) => Ok(lease),
        Ok(Taken::Theirs(text)) => {
            let object = format!("--mac={mac}");
            let message = format!("{object}: {mac} is used by {}", who(&text));
            Err(Failure::new(Kind::Conflict, "network", "lease MAC address", object, message)
                .hint("choose another, or leave --mac away to get one made from the address"))
        }
        Err(error) => Err(Failure::call("network", "lease MAC address", path.display().to_string(), &error)),
    }
}

/// A holder in words, from a lease's text.
fn who(text: &str) -> String {
    text.parse::<Holder>()
        .map_or_else(|_| "another jail".into(), |holder| format!("the jail {}", holder.name))
}

/// Every address of the subnet once, from the name's on and round.
fn candidates(subnet: Ipv4Net, name: &str) -> impl Iterator<Item = Ipv4Addr> {
    let first = subnet.network().to_bits();
    let size = u64::from(subnet.broadcast().to_bits() - first) + 1;
    let start = u64::from(mac::hash(name)) % size;
    (0..size)
        .filter_map(move |step| u32::try_from((start + step) % size).ok())
        .map(move |offset| Ipv4Addr::from_bits(first + offset))
}

/// The lease, or the text of who has it.
fn try_take(dir: &Path, address: Ipv4Addr, holder: &Holder) -> io::Result<Result<AddressLease, String>> {
    Ok(match Lease::take(&dir.join(address.to_string()), &holder.to_string())? {
        Taken::Ours { lease, previous } => {
            Ok(AddressLease { address, lease, previous: previous.parse().ok() })
        }
        Taken::Theirs(text) => Err(text),
    })
}

fn failed(dir: &Path, address: Ipv4Addr, error: &io::Error) -> Failure {
    Failure::call("network", "lease address", dir.join(address.to_string()).display().to_string(), error)
}

/// What to do about an address that a jail cannot have.
pub fn another(network: &Network) -> String {
    match network.subnet {
        Some(subnet) => format!("choose another of {}, or leave --ip away to get a free one", subnet.trunc()),
        None => "leave --ip away".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(subnet: &str) -> Network {
        Network::ours("dmz", "br0", subnet.parse().unwrap())
    }

    fn jail(name: &str) -> Holder {
        Holder { name: name.into(), id: "3fa04b11c2d9".parse().unwrap() }
    }

    #[test]
    fn a_used_address_is_refused_with_its_holders_name() {
        let (dir, dmz) = (tempfile::tempdir().unwrap(), network("10.10.20.1/24"));
        let ten = [10, 10, 20, 10].into();
        let _web = take(dir.path(), &dmz, ten, &jail("web"), &[]).unwrap();
        let refused = take(dir.path(), &dmz, ten, &jail("db"), &[]).unwrap_err();
        assert_eq!(refused.message, "--ip=10.10.20.10: 10.10.20.10 is used by the jail web");
        assert_eq!(refused.kind, Kind::Conflict);
        let host = take(dir.path(), &dmz, [10, 10, 20, 1].into(), &jail("db"), &[]).unwrap_err();
        assert_eq!(host.message, "--ip=10.10.20.1: 10.10.20.1 is the host's own address on br0");
    }

    #[test]
    fn a_used_mac_address_is_refused_with_its_holders_name() {
        let dir = tempfile::tempdir().unwrap();
        let mac: Mac = "02:00:00:00:00:05".parse().unwrap();
        let lease = take_mac(dir.path(), mac, &jail("web")).unwrap();
        let refused = take_mac(dir.path(), mac, &jail("db")).unwrap_err();
        assert_eq!(refused.message, "--mac=02:00:00:00:00:05: 02:00:00:00:00:05 is used by the jail web");
        drop(lease);
        take_mac(dir.path(), mac, &jail("db")).unwrap();
    }

    #[test]
    fn what_is_no_lease_is_passed_over() {
        let (dir, dmz) = (tempfile::tempdir().unwrap(), network("10.10.20.1/30"));
        std::fs::create_dir(dir.path().join("10.10.20.2")).unwrap();
        let full = choose(dir.path(), &dmz, &jail("web"), &[]).unwrap_err();
        assert_eq!(full.message, "--net=dmz: no address of 10.10.20.0/30 is free");
        let asked = take(dir.path(), &dmz, [10, 10, 20, 2].into(), &jail("web"), &[]).unwrap_err();
        assert!(asked.message.ends_with("10.10.20.2: lease address: it is no regular file: remove it"));
    }

    #[test]
    fn a_dead_holder_is_told() {
        let (dir, dmz) = (tempfile::tempdir().unwrap(), network("10.10.20.1/24"));
        drop(take(dir.path(), &dmz, [10, 10, 20, 10].into(), &jail("web"), &[]).unwrap());
        let again = take(dir.path(), &dmz, [10, 10, 20, 10].into(), &jail("db"), &[]).unwrap();
        assert_eq!(again.previous, Some(jail("web")));
    }

    #[test]
    fn a_name_gets_the_same_address_again_and_every_address_is_used_before_none_is_left() {
        let (dir, dmz) = (tempfile::tempdir().unwrap(), network("10.10.20.1/29"));
        let first = choose(dir.path(), &dmz, &jail("web"), &[]).unwrap();
        let address = first.address;
        first.lease.release().unwrap();
        let mut held = vec![choose(dir.path(), &dmz, &jail("web"), &[]).unwrap()];
        assert_eq!(held[0].address, address);
        assert_eq!(held[0].previous, None);
        let exclude = (2..=6).map(|last| [10, 10, 20, last].into()).find(|other| *other != address).unwrap();
        for _ in 0..3 {
            held.push(choose(dir.path(), &dmz, &jail("web"), &[exclude]).unwrap());
        }
        let full = choose(dir.path(), &dmz, &jail("web"), &[exclude]).unwrap_err();
        assert_eq!(full.message, "--net=dmz: no address of 10.10.20.0/29 is free");
        assert!(held.iter().all(|lease| dmz.refuses(lease.address).is_none() && lease.address != exclude));
    }
}
