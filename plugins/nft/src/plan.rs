//! What an attach does, decided before it: the elements and the jail's own table as data, and the same in words.

use jail_net::backend::{Actions, Failure, Kind, Request, Undo};
use jail_net::model::{Attachment, Egress, JailId};
use nftables::schema::Nftables;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::entry::{self, Entry};
use crate::{elements, foreign, inner};

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
    /// Those for its table of frames, which not every kernel has.
    pub(crate) frames: Nftables<'static>,
    /// Whether it cannot do without that table.
    pub(crate) needs_frames: bool,
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

    /// Whether the jail is on no bridge, so that the host's rules would never see its packets: they are left alone.
    pub(crate) fn is_inside_only(&self) -> bool {
        self.entries.is_empty() && self.shared.is_empty()
    }
}

impl Elements {
    pub(crate) fn read(undo: &Undo) -> Result<Self, Failure> {
        serde_json::from_value(undo.0.clone()).map_err(|error| unreadable("detach", &error))
    }
}

pub(crate) fn plan(want: &Request) -> Result<Actions, Failure> {
    for interface in &want.forwards {
        elements::nameable(interface)?;
    }
    let work = Work {
        jail: want.jail.clone(),
        comment: entry::comment(&want.jail, &want.name),
        entries: elements::of(want)?,
        shared: want.forwards.iter().map(|interface| elements::forwards(interface)).collect(),
        inner: Nftables { objects: inner::table(want).into() },
        frames: Nftables { objects: foreign::table(want).into() },
        needs_frames: foreign::are_near(want),
    };
    let undo = write("detach", &Elements { entries: work.entries.clone() })?;
    Ok(Actions { words: words(want), data: write("attach", &work)?, undo: Undo(undo), probes: false })
}

fn words(want: &Request) -> Vec<String> {
    let mut words = Vec::new();
    if want.attachments.iter().any(|attachment| attachment.network.bridge().is_some()) {
        words.push("the tables inet jail and bridge jail, if this is the first jail".to_owned());
    }
    for attachment in &want.attachments {
        words.push(may_send(attachment));
        if foreign::is_taken_for_a_strangers(attachment) {
            let mac = &attachment.mac;
            words.push(format!("jails without egress do not call it: {mac} is no MAC that jail makes"));
        }
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
            "connections to the LAN and the Internet, from a bridge by the host's address; to the host itself only to \
                          the ports that jails publish as this one starts"
                .to_owned()
        }
        _ => "no connections but to the jails on its bridge, on the host and in the jail's network namespace"
            .to_owned(),
    });
    words
}

/// What an interface may send from, and who sees to it.
fn may_send(attachment: &Attachment) -> String {
    let (interface, mac) = (&attachment.interface, &attachment.mac);
    if attachment.network.bridge().is_none() {
        return format!("{interface}: the host does not see what it sends, all rules are inside");
    }
    let addresses: Vec<_> = attachment.addresses.iter().map(|net| net.addr().to_string()).collect();
    match addresses.as_slice() {
        [] => format!("port {}: nothing, it has no address", attachment.host_interface),
        all => format!("port {}: only frames from {mac} with {}", attachment.host_interface, all.join(", ")),
    }
}

fn write(operation: &'static str, data: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(data).map_err(|error| unreadable(operation, &error))
}

fn unreadable(operation: &'static str, error: &serde_json::Error) -> Failure {
    let message = format!("the nft backend cannot read its own plan: {error}");
    Failure::new(Kind::Invalid, "network", operation, "nft", message)
        .hint("the plan was made by another version of it")
}
