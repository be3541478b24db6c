//! What an attach does, decided before it: the elements and the jail's own tables as data, and the same in words.

use jail_firewall::nft::entry::{self, Entry};
use jail_firewall::nft::{bridge, foreign};
use jail_firewall::plan::{policy, port, write};
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
}

/// What `detach` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Elements {
    pub(crate) entries: Vec<Entry>,
}

pub(crate) fn plan(want: &Request) -> Result<Actions, Failure> {
    for interface in &want.forwards {
        bridge::nameable(interface)?;
    }
    let work = Work {
        comment: entry::comment(&want.jail, &want.name),
        entries: elements::of(want)?,
        shared: want.forwards.iter().map(|interface| elements::forwards(interface)).collect(),
        inner: Nftables { objects: [inner::table(want), foreign::table(want)].concat().into() },
    };
    let undo = Undo(write(NAME, &Elements { entries: work.entries.clone() })?);
    let mut words = vec!["the tables inet jail and bridge jail, if this is the first jail".to_owned()];
    words.extend(want.attachments.iter().map(port));
    words.extend(policy(want));
    Ok(Actions { words, data: write(NAME, &work)?, undo })
}
