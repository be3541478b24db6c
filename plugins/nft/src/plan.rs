//! What an attach does, decided before it: the elements and the jail's own tables as data, and the same in words.

use jail_firewall::nft::entry::{self, Entry};
use jail_firewall::nft::foreign::Frames;
use jail_firewall::plan::{interface, policy, write};
use jail_firewall::reach::{nameable, on_bridges};
use jail_net::backend::{Actions, Failure, Request, Undo};
use nftables::schema::Nftables;
use serde::{Deserialize, Serialize};

use crate::{NAME, elements, inner};

/// What `attach` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    /// The comment of the jail's elements.
    pub(crate) comment: String,
    pub(crate) entries: Vec<Entry>,
    /// The elements that are not the jail's alone.
    pub(crate) shared: Vec<Entry>,
    /// The commands for the jail's own network namespace.
    pub(crate) inner: Nftables<'static>,
    /// Those for its table of frames, which not every kernel has.
    pub(crate) frames: Frames,
}

impl Work {
    /// Whether the jail is on no bridge, so that the host's rules would never see its packets: they are left alone.
    pub(crate) fn is_inside_only(&self) -> bool {
        self.entries.is_empty() && self.shared.is_empty()
    }
}

/// What `detach` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Elements {
    pub(crate) entries: Vec<Entry>,
}

pub(crate) fn plan(want: &Request) -> Result<Actions, Failure> {
    for interface in &want.forwards {
        nameable(interface)?;
    }
    let work = Work {
        comment: entry::comment(&want.jail, &want.name),
        entries: elements::of(want)?,
        shared: want.forwards.iter().map(|interface| elements::forwards(interface)).collect(),
        inner: Nftables { objects: inner::table(want).into() },
        frames: Frames::of(want),
    };
    let undo = Undo(write(NAME, &Elements { entries: work.entries.clone() })?);
    let mut words = Vec::new();
    if on_bridges(want).next().is_some() {
        words.push("the tables inet jail and bridge jail, if this is the first jail".to_owned());
    }
    words.extend(want.attachments.iter().flat_map(interface));
    words.extend(policy(want));
    Ok(Actions { words, data: write(NAME, &work)?, undo, probes: false })
}
