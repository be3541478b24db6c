//! What an attach does, decided before it: each jail's rules and elements as data, and the same in words.

use std::io::ErrorKind;

use jail_firewall::Place;
use jail_firewall::nft::entry::{self, Entry};
use jail_firewall::nft::foreign::Frames;
use jail_firewall::nft::{bridge, netlink};
use jail_firewall::plan::{interface, policy, write};
use jail_firewall::reach::{Version, on_bridges, udp};
use jail_net::backend::{Actions, Failure, Request, Undo};
use jail_net::conntrack::Published;
use jail_net::model::JailId;
use nftables::types::NfFamily;
use serde::{Deserialize, Serialize};

use crate::chains::Shared;
use crate::host::{self, Rules};
use crate::{NAME, TABLE, inner, ports};

/// What `attach` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) jail: JailId,
    /// The comment of the jail's elements.
    pub(crate) comment: String,
    /// The host's half of both IP versions.
    pub(crate) host: [Rules; 2],
    pub(crate) bridges: Vec<String>,
    pub(crate) forwards: Vec<String>,
    /// The elements of the table of family bridge; empty without nft.
    pub(crate) entries: Vec<Entry>,
    /// The rules for the jail's own network namespace, of both IP versions.
    pub(crate) inner: [String; 2],
    /// The table of frames beside them; none without nft.
    pub(crate) frames: Frames,
    /// What it publishes over UDP.
    pub(crate) udp: Vec<Published>,
}

/// What `detach` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Elements {
    pub(crate) entries: Vec<Entry>,
    pub(crate) udp: Vec<Published>,
}

impl Work {
    pub(crate) fn of_request(place: &Place, want: &Request) -> Result<Self, Failure> {
        for interface in &want.forwards {
            host::nameable(interface)?;
        }
        let with_nft = has_nft(place);
        let frames = if with_nft { Frames::of(want) } else { Frames::default() };
        Ok(Work {
            jail: want.jail.clone(),
            comment: entry::comment(&want.jail, &want.name),
            host: [host::of(want, Version::V4, with_nft)?, host::of(want, Version::V6, with_nft)?],
            bridges: on_bridges(want).map(|(_, bridge)| bridge.to_owned()).collect(),
            forwards: want.forwards.clone(),
            entries: if with_nft { bridge::entries(want)? } else { Vec::new() },
            inner: Version::BOTH.map(|version| inner::document(want, version, !frames.commands.is_empty())),
            frames,
            udp: udp(want)?,
        })
    }

    /// The jail's rules on the host of one IP version, with what it shares with others.
    pub(crate) fn of(&self, version: Version) -> (&Rules, Shared) {
        let bridges = self.bridges.iter().cloned().collect();
        match version {
            Version::V4 => {
                (&self.host[0], Shared { bridges, forwards: self.forwards.iter().cloned().collect() })
            }
            // What forwards because of us forwards IPv4.
            Version::V6 => (&self.host[1], Shared { bridges, ..Shared::default() }),
        }
    }

    /// Whether the frames at the jail's port of a bridge are checked: where there is nft.
    pub(crate) fn has_nft(&self) -> bool {
        !self.entries.is_empty()
    }
}

pub(crate) fn plan(place: &Place, want: &Request) -> Result<Actions, Failure> {
    let work = Work::of_request(place, want)?;
    if !work.has_nft() {
        refuse_adopted(want)?;
    }
    let undo = Undo(write(NAME, &Elements { entries: work.entries.clone(), udp: work.udp.clone() })?);
    let mut words = Vec::new();
    if !work.bridges.is_empty() {
        let table = if work.has_nft() { format!(" and the table bridge {TABLE}") } else { String::new() };
        words.push(format!("the chains JAIL-* of iptables{table}, if this is the first jail"));
    }
    words.extend(want.attachments.iter().flat_map(|attachment| match attachment.network.bridge() {
        Some(bridge) if !work.has_nft() => {
            vec![format!("bridge {bridge}: all that comes from there is a jail's, for there is no nft to tell ports apart")]
        }
        _ => interface(attachment),
    }));
    words.extend(policy(want));
    Ok(Actions { words, data: write(NAME, &work)?, undo, probes: false })
}

/// Refuses a bridge of somebody else's: what else is on it, or comes there later, is no jail.
fn refuse_adopted(want: &Request) -> Result<(), Failure> {
    match want.attachments.iter().find(|attachment| attachment.network.is_adopted()) {
        Some(attachment) => {
            let bridge = attachment.network.interface();
            Err(ports::cannot_tell(bridge, "other machines on a bridge that jail did not make"))
        }
        None => Ok(()),
    }
}

/// Whether nft and the kernel's half of it are there.
fn has_nft(place: &Place) -> bool {
    let kernel = || match netlink::has_table(NfFamily::Bridge, TABLE) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::PermissionDenied, // not for who asks
    };
    place.find("nft").is_some() && kernel()
}
