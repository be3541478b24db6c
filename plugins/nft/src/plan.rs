//! What an attach does, decided before it: the elements and the jail's own table as data, and the same in words.

use jail_firewall::nft::entry::{self, Entry};
use jail_firewall::nft::{bridge, foreign};
use jail_net::backend::{Actions, Failure, Kind, Request, Undo};
use jail_net::model::{Egress, JailId};
use nftables::schema::Nftables;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{elements, inner};

/// What `attach` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) jail: JailId,
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

impl Work {
    pub(crate) fn read(actions: &Actions) -> Result<Self, Failure> {
        serde_json::from_value(actions.data.clone()).map_err(|error| unreadable("attach", &error))
    }
}

impl Elements {
    pub(crate) fn read(undo: &Undo) -> Result<Self, Failure> {
        serde_json::from_value(undo.0.clone()).map_err(|error| unreadable("detach", &error))
    }
}

pub(crate) fn plan(want: &Request) -> Result<Actions, Failure> {
    for interface in &want.forwards {
        bridge::nameable(interface)?;
    }
    let work = Work {
        jail: want.jail.clone(),
        comment: entry::comment(&want.jail, &want.name),
        entries: elements::of(want)?,
        shared: want.forwards.iter().map(|interface| elements::forwards(interface)).collect(),
        inner: Nftables { objects: [inner::table(want), foreign::table(want)].concat().into() },
    };
    let undo = write("detach", &Elements { entries: work.entries.clone() })?;
    Ok(Actions { words: words(want), data: write("attach", &work)?, undo: Undo(undo) })
}

fn words(want: &Request) -> Vec<String> {
    let mut words = vec!["the tables inet jail and bridge jail, if this is the first jail".to_owned()];
    for attachment in &want.attachments {
        let addresses: Vec<_> = attachment.addresses.iter().map(|net| net.addr().to_string()).collect();
        let (port, mac) = (&attachment.host_interface, &attachment.mac);
        words.push(format!("port {port}: only frames from {mac} with {}", addresses.join(", ")));
    }
    for publish in &want.publish {
        let host = publish.address.map_or("every address of the host".to_owned(), |at| at.to_string());
        let (protocol, from, to) = (publish.protocol.as_str(), publish.host, publish.jail);
        words.push(format!("{protocol} port {from} of {host} leads to port {to} of the jail"));
    }
    for interface in &want.forwards {
        words.push(format!("interface {interface}: nothing new is forwarded from it but what is published"));
    }
    words.push(match want.egress {
        Egress::Allow => {
            "connections to the LAN and the Internet, by the host's address; to the host itself only to \
                          the ports that jails publish as this one starts"
                .to_owned()
        }
        _ => "no connections but to the jails on its bridge, on the host and in the jail's network namespace"
            .to_owned(),
    });
    words
}

fn write(operation: &'static str, data: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(data).map_err(|error| unreadable(operation, &error))
}

fn unreadable(operation: &'static str, error: &serde_json::Error) -> Failure {
    let message = format!("the nft backend cannot read its own plan: {error}");
    Failure::new(Kind::Invalid, "network", operation, "nft", message)
        .hint("the plan was made by another version of it")
}
