//! What an attach will do, in words and as data.

use jail_net::backend::{Actions, Failure, Kind, Request, Undo};
use jail_net::link::attachment;
use jail_net::model::Attachment;
use rtnetlink::Handle;
use serde::{Deserialize, Serialize};

use crate::parent;

/// What `attach` reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Links {
    /// The jail's interfaces; every MTU is filled in.
    pub(crate) attachments: Vec<Attachment>,
}

/// Looks at the host and decides everything.
pub(crate) async fn plan(handle: &Handle, want: &Request) -> Result<Actions, Failure> {
    let mut words = Vec::new();
    let mut attachments = want.attachments.clone();
    for attachment in &mut attachments {
        let parent = parent::find(handle, attachment.network.interface()).await?;
        attachment.mtu = Some(attachment::mtu(attachment, parent.mtu)?);
        attachment.probe = attachment.probe && !attachment.addresses.is_empty();
        words.push(format!("macvlan {} in the jail, on {}", attachment.interface, parent.name));
        words.extend(attachment::words(attachment));
        if attachment.probe {
            let name = &attachment.interface;
            words.push(format!("{name}: ask whether somebody uses its address, before it has it"));
        }
    }
    Ok(Actions {
        words,
        probes: attachments.iter().any(|attachment| attachment.probe),
        data: serde_json::to_value(Links { attachments }).map_err(|error| unreadable("plan link", &error))?,
        undo: Undo(serde_json::Value::Null),
    })
}

/// Data of ours that does not read back.
pub(crate) fn unreadable(operation: &'static str, error: &serde_json::Error) -> Failure {
    let message = format!("the plan of the macvlan backend cannot be read: {error}");
    Failure::new(Kind::Invalid, "network", operation, "macvlan", message)
}
