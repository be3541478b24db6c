//! What an attach will do, in words and as data.

use jail_net::backend::{Actions, Failure, Kind, Request, Undo};
use jail_net::host::DEFAULT_MTU;
use jail_net::link::attachment;
use jail_net::link::request::{self as link, Link};
use jail_net::model::Attachment;
use rtnetlink::Handle;
use serde::{Deserialize, Serialize};

use crate::bridge;
use crate::detach::jail_of;

/// What `attach` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Links {
    /// The jail's name, for the alias of its links.
    pub(crate) jail: String,
    /// Its interfaces; every MTU is filled in, and `probe` only where there is somebody to ask.
    pub(crate) attachments: Vec<Attachment>,
}

/// What `detach` reads: the host's ends.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) links: Vec<String>,
}

/// Looks at the host and decides everything.
pub(crate) async fn plan(handle: &Handle, want: &Request) -> Result<Actions, Failure> {
    let mut words = Vec::new();
    let mut attachments = want.attachments.clone();
    for attachment in &mut attachments {
        let (network, on) = (&attachment.network, attachment.network.interface());
        let there = bridge::find(handle, on).await?;
        match &there {
            None if !network.is_ours() => return Err(bridge::missing(on)),
            None => words.push(format!("bridge {on} with {}", list(&network.host_addresses()))),
            Some(bridge) => {
                let asks = attachment.probe && !attachment.addresses.is_empty();
                attachment.probe = asks && has_others(handle, bridge).await?;
            }
        }
        // The jail's end only: a port with another MTU would change the bridge's, and so everybody's on it.
        let largest = there.map_or(DEFAULT_MTU, |bridge| bridge.mtu);
        attachment.mtu = Some(attachment::mtu(attachment, largest)?);
        describe(attachment, &mut words);
    }
    let links = attachments.iter().map(|attachment| attachment.host_interface.clone()).collect();
    Ok(Actions {
        words,
        probes: attachments.iter().any(|attachment| attachment.probe),
        data: to_json(&Links { jail: want.name.clone(), attachments })?,
        undo: Undo(to_json(&Made { links })?),
    })
}

/// Whether the bridge has ports that are no jail's: behind those are machines that know nothing of our leases.
async fn has_others(handle: &Handle, bridge: &Link) -> Result<bool, Failure> {
    let links = link::all(handle).await?;
    Ok(links.iter().any(|link| link.master == Some(bridge.index) && jail_of(&link.name).is_none()))
}

fn describe(attachment: &Attachment, words: &mut Vec<String>) {
    let on = attachment.network.interface();
    if attachment.probe {
        words.push(format!("ask on {on} whether somebody uses {}", list(&attachment.addresses)));
    }
    let (near, far) = (&attachment.host_interface, &attachment.interface);
    words.push(format!("veth {near} on {on}, its other end {far} in the jail"));
    words.extend(attachment::words(attachment));
}

fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn to_json<T: Serialize>(value: &T) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(value).map_err(|error| unreadable("plan link", &error))
}

/// Data of ours that does not read back.
pub(crate) fn unreadable(operation: &'static str, error: &serde_json::Error) -> Failure {
    let message = format!("the plan of the bridge backend cannot be read: {error}");
    Failure::new(Kind::Invalid, "network", operation, "bridge", message)
}
