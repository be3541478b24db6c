//! What an attach will do, in words and as data.

use jail_net::backend::{Actions, Failure, Kind, Request, Undo};
use jail_net::model::{Attachment, Origin};
use rtnetlink::Handle;
use serde::{Deserialize, Serialize};

use crate::bridge;

/// What a bridge that is not there yet will have.
const DEFAULT_MTU: u32 = 1500;

/// What `attach` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Links {
    /// The jail's name, for the alias of its links.
    pub(crate) jail: String,
    /// Its interfaces; every MTU is filled in.
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
        let network = &attachment.network;
        let there = bridge::find(handle, &network.bridge).await?;
        if there.is_none() && network.origin == Origin::Adopted {
            return Err(bridge::missing(&network.bridge));
        }
        if there.is_none() {
            words.push(format!("bridge {} with {}", network.bridge, list(&network.host_addresses())));
        }
        attachment.mtu = Some(mtu(attachment, there.map_or(DEFAULT_MTU, |bridge| bridge.mtu))?);
        describe(attachment, &mut words);
    }
    let links = attachments.iter().map(|attachment| attachment.host_interface.clone()).collect();
    Ok(Actions {
        words,
        data: to_json(&Links { jail: want.name.clone(), attachments })?,
        undo: Undo(to_json(&Made { links })?),
    })
}

fn describe(attachment: &Attachment, words: &mut Vec<String>) {
    let Attachment { network, interface, host_interface, mac, mtu, addresses, gateways } = attachment;
    words.push(format!("veth {host_interface} on {}, its other end {interface} in the jail", network.bridge));
    words.push(format!("{interface}: MAC {mac}, MTU {}", mtu.unwrap_or(DEFAULT_MTU)));
    words.extend(addresses.iter().map(|net| format!("{interface}: address {net}")));
    words.extend(gateways.iter().map(|gateway| format!("{interface}: default route via {gateway}")));
}

/// The jail's end only: a port with another MTU would change the bridge's, and so everybody's on it. A larger one
/// would lose its packets there.
fn mtu(attachment: &Attachment, bridge: u32) -> Result<u32, Failure> {
    match attachment.mtu {
        None => Ok(bridge),
        Some(mtu) if mtu <= bridge => Ok(mtu),
        Some(mtu) => {
            let name = &attachment.network.bridge;
            let message = format!("--mtu={mtu}: the bridge {name} carries at most {bridge}");
            Err(Failure::new(Kind::Invalid, "network", "plan link", format!("--mtu={mtu}"), message)
                .hint(format!("choose {bridge} or less, or raise it with: ip link set {name} mtu {mtu}")))
        }
    }
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
