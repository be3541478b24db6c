//! The sysctls that let published ports arrive and granted connections leave, and putting them back.
//!
//! The values are the machine's, shared by all jails: what is recorded in a directory (`/run/jail/forwarding`, one file
//! per value, written before the value is changed) is what we changed and nobody has put back yet. The caller holds the
//! machine's network lock, alone around [`plan`] and [`restore`], with others around [`apply`], and from the first on is
//! among those that use the network: nobody restores meanwhile.
//!
//! Only interfaces are switched, one by one. `net.ipv4.ip_forward` (the same as `conf.all.forwarding`) stays as it is:
//! the kernel asks the interface a packet came in by (ip_route_input_slow in net/ipv4/route.c), and writing that one
//! would change every interface, the default of those to come, and accept_redirects (inet_forward_change in
//! net/ipv4/devinet.c). Switching one interface on changes no other sysctl; large receive offload, which must not be
//! on where packets are forwarded, is switched off by the kernel and is not told of again.
//!
//! References: Documentation/networking/ip-sysctl.rst of the kernel.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

use crate::host::{self, HostAddress};
use crate::model::{Egress, Publish};
use crate::record;

/// A value that must change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The sysctl as a path below /proc/sys: `net/ipv4/conf/br0/forwarding`.
    pub path: String,
    /// What it is.
    pub was: String,
    /// What it must be.
    pub want: String,
    /// What the same sysctl of all interfaces was: writing that one writes every interface's.
    pub all_was: String,
}

/// What one jail's publications and egress need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarding {
    /// The values that are not so yet.
    pub changes: Vec<Change>,
    /// The interfaces that forward only because of us, for this jail or another: a request's `forwards`.
    pub interfaces: Vec<String>,
}

/// Looks at what has to change for a jail on `bridges`, the one that published ports lead to first, given what is recorded
/// in `dir`. Changes nothing; of a jail on none nothing is forwarded.
///
/// # Errors
/// What getifaddrs(3) answers, and reading a sysctl other than that there is none.
pub fn plan(
    dir: &Path,
    bridges: &[&str],
    publish: &[Publish],
    egress: Egress,
) -> Result<Forwarding, Failure> {
    let mut plan = Forwarding::default();
    let Some(first) = bridges.first() else { return Ok(plan) };
    let mut interfaces: BTreeSet<String> = bridges.iter().map(|bridge| (*bridge).to_owned()).collect();
    let arrivals = arrivals(&host::addresses()?, publish, egress);
    let passes = !arrivals.is_empty();
    interfaces.extend(arrivals);
    if passes {
        for interface in interfaces {
            let path = conf(&interface, "forwarding");
            let recorded = record_of(dir, &path).exists();
            let change = change(&interface, "forwarding")?;
            if recorded || change.is_some() {
                plan.interfaces.push(interface);
            }
            plan.changes.extend(change);
        }
    }
    if !publish.is_empty() {
        // The host's own 127.0.0.1:PORT: the answer comes in by the bridge for an address that would be a martian there.
        plan.changes.extend(change(first, "route_localnet")?);
    }
    Ok(plan)
}

/// Records each value as it was, then changes it. May be done again after a crash at any moment, and at the same time by
/// several. The bridge is there by now, and so are the rules that keep what is forwarded to what is ours.
///
/// # Errors
/// What writing the record or the sysctl answers; what was changed before stays recorded.
pub fn apply(dir: &Path, changes: &[Change]) -> Result<(), Failure> {
    for change in changes {
        let record = record_of(dir, &change.path);
        // A record that is there already knows the value from before the first of us.
        if !record.exists() {
            match record::create(&record, change) {
                Err(failure) if failure.kind == Kind::Conflict => {}
                result => result?,
            }
        }
        let written = fs::write(file(&change.path), &change.want);
        written.map_err(|error| Failure::call("network", "write", &change.path, &error))?;
    }
    Ok(())
}

/// Puts every recorded value back and removes the records; answers what was put back. A value that is no longer what we
/// made it is somebody else's by now and stays, and so does one that somebody wanted on every interface meanwhile
/// (`ip_forward=1`); an interface that is gone took its values along.
///
/// # Errors
/// What reading a record or writing a sysctl answers; the others are put back all the same. A record that makes no sense
/// is removed as it is told of.
pub fn restore(dir: &Path) -> Result<Vec<Change>, Failure> {
    let mut restored = Vec::new();
    let mut failed = record::remove_unfinished(dir).err();
    for name in record::names(dir)? {
        match restore_one(&dir.join(name)) {
            Ok(change) => restored.extend(change),
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    failed.map_or(Ok(restored), Err)
}

fn restore_one(record: &Path) -> Result<Option<Change>, Failure> {
    let change = match record::read::<Change>(record) {
        Ok(Some(change)) if record.ends_with(record_of(Path::new(""), &change.path)) => change,
        Ok(Some(change)) => return Err(forget(record, unlike_its_name(record, &change))),
        Ok(None) => return Ok(None),
        Err(failure) => return Err(forget(record, failure)),
    };
    let ours = read(&change.path)?.is_some_and(|now| now == change.want) && !wanted_everywhere(&change)?;
    if ours {
        match fs::write(file(&change.path), &change.was) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {} // the interface went meanwhile
            result => result.map_err(|error| Failure::call("network", "write", &change.path, &error))?,
        }
    }
    record::remove(record)?;
    Ok(ours.then_some(change))
}

/// Removes a record that says nothing, so that it is told of once and stands in the way of nobody after that.
fn forget(record: &Path, why: Failure) -> Failure {
    if why.kind != Kind::Invalid || fs::remove_file(record).is_err() {
        return why;
    }
    let name = record.file_name().unwrap_or_default().to_string_lossy();
    let sysctl = name.replace(':', "/");
    why.hint(format!("it is removed; a jail needed {sysctl} to be 1: see whether it should be 0 again"))
}

fn unlike_its_name(record: &Path, change: &Change) -> Failure {
    let object = record.display().to_string();
    let message = format!("{object}: not a file jail wrote: it holds {}", change.path);
    Failure::new(Kind::Invalid, "state", "read", object, message).hint("remove it")
}

/// Whether somebody made it so for every interface since we changed it for one.
fn wanted_everywhere(change: &Change) -> Result<bool, Failure> {
    let Some(name) = change.path.rsplit('/').next() else { return Ok(false) };
    let all = read(&conf("all", name))?;
    Ok(change.all_was != change.want && all.is_some_and(|all| all == change.want))
}

/// The interfaces that a connection to a published port, or an answer to one the jail opened, comes in by.
fn arrivals(host: &[HostAddress], publish: &[Publish], egress: Egress) -> Vec<String> {
    let everywhere = egress != Egress::Deny || publish.iter().any(|publish| publish.address.is_none());
    let by = |address: IpAddr| publish.iter().any(|publish| publish.address == Some(address));
    let wanted = host.iter().filter(|one| one.up && !one.loopback && one.net.addr().is_ipv4());
    wanted.filter(|one| everywhere || by(one.net.addr())).map(|one| one.interface.clone()).collect()
}

fn conf(interface: &str, name: &str) -> String {
    format!("net/ipv4/conf/{interface}/{name}")
}

/// What switches a value on, unless it is on. An interface that is still to be made will begin with the default.
fn change(interface: &str, name: &str) -> Result<Option<Change>, Failure> {
    let path = conf(interface, name);
    let was = match read(&path)? {
        Some(was) => was,
        None => read(&conf("default", name))?.unwrap_or_default(),
    };
    let want = "1".to_owned();
    let all_was = read(&conf("all", name))?.unwrap_or_default();
    Ok((was != want).then_some(Change { path, was, want, all_was }))
}

/// The record of a sysctl: no interface has ':' in its name.
fn record_of(dir: &Path, path: &str) -> PathBuf {
    dir.join(path.replace('/', ":"))
}

/// The value in the network namespace of the thread; `None` if there is no such sysctl.
fn read(path: &str) -> Result<Option<String>, Failure> {
    match fs::read_to_string(file(path)) {
        Ok(value) => Ok(Some(value.trim_end().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::call("network", "read", path, &error)),
    }
}

fn file(path: &str) -> PathBuf {
    Path::new("/proc/sys").join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Vec<HostAddress> {
        let one = |interface: &str, net: &str, up, loopback| HostAddress {
            interface: interface.into(),
            net: net.parse().unwrap(),
            up,
            loopback,
        };
        vec![
            one("lo", "127.0.0.1/8", true, true),
            one("eth0", "192.0.2.1/24", true, false),
            one("eth1", "198.51.100.1/24", true, false),
            one("eth2", "203.0.113.1/24", false, false),
            one("eth3", "2001:db8::1/64", true, false),
        ]
    }

    #[test]
    fn a_publication_arrives_by_every_interface_or_by_its_addresss() {
        let by = |publish: &[&str], egress| {
            let publish: Vec<Publish> = publish.iter().map(|text| text.parse().unwrap()).collect();
            arrivals(&host(), &publish, egress)
        };
        assert_eq!(by(&["80"], Egress::Deny), ["eth0", "eth1"]);
        assert_eq!(by(&["192.0.2.1:80"], Egress::Deny), ["eth0"]);
        assert!(by(&["127.0.0.1:80"], Egress::Deny).is_empty());
        assert!(by(&[], Egress::Deny).is_empty());
        assert_eq!(by(&[], Egress::Allow), ["eth0", "eth1"]);
    }

    #[test]
    fn a_record_is_one_file_whatever_the_interface_is_called() {
        let record = record_of(Path::new("/run/jail/forwarding"), &conf("eth0.100", "forwarding"));
        assert_eq!(record, Path::new("/run/jail/forwarding/net:ipv4:conf:eth0.100:forwarding"));
    }
}
