//! `Claims`: what of the machine only one jail can have, held for this one: addresses, MACs, ports.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;

use jail_net::host;
use jail_net::lease::{self, AddressLease, Holder};
use jail_net::mac::Mac;
use jail_net::model::{INTERFACES, JailId};
use jail_sys::Failure;
use jail_sys::lease::Lease;

use super::plan::{AttachmentPlan, NetworkPlan};
use crate::journal::{Entry, Journal};
use crate::machine::Machine;
use crate::spec::Ip;

/// What only one jail can have.
#[derive(Debug)]
pub(super) struct Claims {
    machine: Machine,
    holder: Holder,
    /// By interface.
    addresses: [Option<Lease>; INTERFACES],
    others: Vec<Lease>,
    pub(super) ports: Vec<OwnedFd>,
    /// Addresses that no jail has, and that somebody else on a segment uses.
    pub(super) taken: Vec<Ipv4Addr>,
}

impl Claims {
    pub(super) fn new(machine: Machine, name: &str, id: &JailId) -> Self {
        Claims {
            machine,
            holder: Holder { name: name.to_owned(), id: id.clone() },
            addresses: Default::default(),
            others: Vec::new(),
            ports: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// A place among the jails that use the network.
    pub(super) fn place(&mut self, plan: &NetworkPlan, journal: &mut Journal) -> Result<(), Failure> {
        let id = &self.holder.id;
        journal.write(Entry::Networked { path: self.machine.networked_file(id) })?;
        let links: BTreeSet<_> = plan.attachments.iter().map(|attachment| &attachment.link.path).collect();
        let plugins = links.into_iter().chain([&plan.firewall.path]);
        self.others.push(self.machine.networked(id, plugins)?);
        Ok(())
    }

    /// The address of interface number `index`, another than before if it is leased and was taken by somebody else.
    pub(super) fn address(
        &mut self,
        index: usize,
        plan: &NetworkPlan,
        journal: &mut Journal,
    ) -> Result<Option<Ipv4Addr>, Failure> {
        let AttachmentPlan { network, ip, .. } = &plan.attachments[index];
        let (dir, exclude) = (self.machine.addresses(), self.excluded(plan)?);
        let AddressLease { address, lease, .. } = match ip {
            Ip::None => return Ok(None),
            Ip::Fixed(asked) => lease::take(&dir, network, asked.address, &self.holder, &exclude)?,
            Ip::Lease => lease::choose(&dir, network, &self.holder, &exclude)?,
        };
        let lease = journal.lease(lease)?;
        if let Some(before) = self.addresses[index].replace(lease) {
            let path = before.path().display().to_string();
            before.release().map_err(|error| Failure::call("network", "unlink", path, &error))?;
        }
        Ok(Some(address))
    }

    /// Addresses that are somebody's without a lease.
    fn excluded(&self, plan: &NetworkPlan) -> Result<Vec<Ipv4Addr>, Failure> {
        let v4 = |address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        };
        let mut excluded: Vec<Ipv4Addr> =
            host::addresses()?.iter().filter_map(|address| v4(address.net.addr())).collect();
        excluded.extend(plan.attachments.iter().filter_map(|attachment| attachment.gateway));
        excluded.extend(&self.taken);
        Ok(excluded)
    }

    /// The MAC of interface number `index`: the one asked for, which nobody else may have, or one of its own.
    pub(super) fn mac(
        &mut self,
        index: usize,
        plan: &NetworkPlan,
        address: Option<Ipv4Addr>,
        journal: &mut Journal,
    ) -> Result<Mac, Failure> {
        let Some(mac) = plan.attachments[index].mac else {
            return Ok(match address {
                Some(address) => Mac::of_address(address.into()),
                None => Mac::of_link(&self.holder.id, index),
            });
        };
        let lease = lease::take_mac(&self.machine.macs(), mac, &self.holder)?;
        self.others.push(journal.lease(lease)?);
        Ok(mac)
    }

    /// Everything that must stay open while the jail lives; handed over once.
    pub(super) fn files(&mut self) -> Vec<OwnedFd> {
        let addresses = std::mem::take(&mut self.addresses).into_iter().flatten();
        let leases = addresses.chain(std::mem::take(&mut self.others)).map(Lease::into_fd);
        leases.chain(std::mem::take(&mut self.ports)).collect()
    }
}
