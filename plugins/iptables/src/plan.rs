//! What an attach does, decided before it: each jail's rules and elements as data, and the same in words.

use jail_firewall::Place;
use jail_firewall::nft::bridge;
use jail_firewall::nft::entry::{self, Entry};
use jail_firewall::nft::foreign::Frames;
use jail_firewall::plan::{interface, policy, write};
use jail_firewall::reach::{Version, nameable, on_bridges, udp};
use jail_net::backend::{Actions, Failure, Request, Undo};
use jail_net::conntrack::Published;
use jail_net::model::JailId;
use serde::{Deserialize, Serialize};

use crate::chains::Shared;
use crate::host::{self, Rules};
use crate::probe::has_nf_tables;
use crate::{NAME, TABLE, has_ipv6, inner, ports};

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
    /// Whether the frames at the jail's port of a bridge are checked: where there is nft.
    pub(crate) with_nft: bool,
    /// The elements of the table of family bridge; empty without nft, and for a jail that is on no bridge.
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
    /// Whether there are rules of either IP version.
    pub(crate) rules: [bool; 2],
}

impl Elements {
    /// Whether it has rules of this IP version.
    pub(crate) fn has_rules(&self, version: Version) -> bool {
        let [v4, v6] = self.rules;
        if version == Version::V4 { v4 } else { v6 && has_ipv6() }
    }
}

impl Work {
    pub(crate) fn of_request(place: &Place, want: &Request) -> Result<Self, Failure> {
        for interface in &want.forwards {
            nameable(interface)?;
        }
        // nft, and the kernel's half of it.
        let with_nft = place.find("nft").is_some() && has_nf_tables();
        let frames = if with_nft { Frames::of(want) } else { Frames::default() };
        Ok(Work {
            jail: want.jail.clone(),
            comment: entry::comment(&want.jail, &want.name),
            host: [host::of(want, Version::V4, with_nft)?, host::of(want, Version::V6, with_nft)?],
            bridges: on_bridges(want).map(|(_, bridge)| bridge.to_owned()).collect(),
            forwards: want.forwards.clone(),
            with_nft,
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
}

pub(crate) fn plan(place: &Place, want: &Request) -> Result<Actions, Failure> {
    let work = Work::of_request(place, want)?;
    if !work.with_nft {
        refuse_adopted(want)?;
    }
    let undo = Elements {
        entries: work.entries.clone(),
        udp: work.udp.clone(),
        rules: work.host.each_ref().map(|rules| !rules.is_empty()),
    };
    let undo = Undo(write(NAME, &undo)?);
    let mut words = Vec::new();
    if !work.bridges.is_empty() {
        let table = if work.with_nft { format!(" and the table bridge {TABLE}") } else { String::new() };
        words.push(format!("the chains JAIL-* of iptables{table}, if this is the first jail"));
    }
    words.extend(want.attachments.iter().flat_map(|attachment| match attachment.network.bridge() {
        Some(bridge) if !work.with_nft => {
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
