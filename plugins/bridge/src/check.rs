//! What of a jail's links differs from what should be, seen from the host.

use jail_net::backend::{Drift, Failure, Request};
use jail_net::link::request::{self as link, Link};
use jail_net::model::Attachment;
use rtnetlink::Handle;

/// Compares every bridge and near end; what is inside the jail cannot be changed by it.
pub(crate) async fn check(handle: &Handle, want: &Request) -> Result<Drift, Failure> {
    let mut differences = Vec::new();
    for attachment in &want.attachments {
        let bridge = link::find(handle, attachment.network.interface()).await?;
        match &bridge {
            Some(bridge) => differences.extend(of_bridge(handle, attachment, bridge).await?),
            None => differences.push(format!("bridge {} is missing", attachment.network.interface())),
        }
        let near = link::find(handle, &attachment.host_interface).await?;
        differences.extend(of_near(attachment, near.as_ref(), bridge.as_ref()));
    }
    Ok(Drift { differences })
}

async fn of_bridge(handle: &Handle, attachment: &Attachment, bridge: &Link) -> Result<Vec<String>, Failure> {
    let name = &bridge.name;
    let mut differences = Vec::new();
    if !bridge.up {
        differences.push(format!("bridge {name} is down"));
    }
    if attachment.network.is_ours() {
        let addresses = link::addresses(handle, bridge).await?;
        let lost = attachment.network.host_addresses().into_iter().filter(|net| !addresses.contains(net));
        differences.extend(lost.map(|net| format!("bridge {name} has lost its address {net}")));
    }
    Ok(differences)
}

fn of_near(attachment: &Attachment, near: Option<&Link>, bridge: Option<&Link>) -> Option<String> {
    let name = &attachment.host_interface;
    match near {
        None => Some(format!("link {name} is missing")),
        Some(link) if !link.is_veth() => Some(format!("link {name} is not a veth")),
        Some(link) if bridge.is_some_and(|bridge| link.master != Some(bridge.index)) => {
            Some(format!("link {name} is not on {}", attachment.network.interface()))
        }
        Some(link) if !link.up => Some(format!("link {name} is down")),
        Some(_) => None,
    }
}
