//! What the plans of both backends have in common: the policy in words, and data that crosses to `attach` and `detach`.

use jail_net::backend::{Failure, Kind, Request};
use jail_net::model::{Attachment, Egress};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::nft::foreign;

/// What an interface may send from and who sees to it, and who does not call it.
pub fn interface(attachment: &Attachment) -> Vec<String> {
    let mut words = vec![may_send(attachment)];
    if foreign::is_taken_for_a_strangers(attachment) {
        let mac = &attachment.mac;
        words.push(format!("jails without egress do not call it: {mac} is no MAC that jail makes"));
    }
    words
}

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

/// What is published and who may talk to whom, in words.
pub fn policy(want: &Request) -> Vec<String> {
    let mut words = Vec::new();
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

/// The data of a plan or an undo.
///
/// # Errors
/// `Invalid` for what has no form in JSON.
pub fn write(backend: &'static str, data: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(data).map_err(|error| unreadable(backend, &error))
}

/// The same read back.
///
/// # Errors
/// `Invalid` when another version of the backend wrote it.
pub fn read<T: DeserializeOwned>(backend: &'static str, data: &Value) -> Result<T, Failure> {
    T::deserialize(data).map_err(|error| unreadable(backend, &error))
}

fn unreadable(backend: &'static str, error: &serde_json::Error) -> Failure {
    let message = format!("the {backend} backend cannot read its own plan: {error}");
    Failure::new(Kind::Invalid, "network", "read the plan", backend, message)
        .hint("the plan was made by another version of it")
}
