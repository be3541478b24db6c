//! What every link backend decides about an attachment.

use crate::backend::{Failure, Kind};
use crate::host;
use crate::mac::Mac;
use crate::model::Attachment;

/// Its MTU, where the bridge or the parent carries at most `largest`.
///
/// # Errors
/// As [`host::carries`].
pub fn mtu(attachment: &Attachment, largest: u32) -> Result<u32, Failure> {
    let Some(mtu) = attachment.mtu else { return Ok(largest) };
    host::carries(attachment.network.interface(), largest, mtu).map(|()| mtu)
}

/// Its MAC.
///
/// # Errors
/// `Invalid` when it is none.
pub fn mac(attachment: &Attachment) -> Result<Mac, Failure> {
    attachment.mac.parse().map_err(|message: String| {
        Failure::new(Kind::Invalid, "network", "plan link", format!("--mac={}", attachment.mac), message)
    })
}

/// What the interface will have, in words.
pub fn words(attachment: &Attachment) -> Vec<String> {
    let Attachment { interface, mac, mtu, addresses, gateways, source_gateways, .. } = attachment;
    let mtu = mtu.map_or_else(String::new, |mtu| format!(", MTU {mtu}"));
    let mut words = vec![format!("{interface}: MAC {mac}{mtu}")];
    words.extend(addresses.iter().map(|net| format!("{interface}: address {net}")));
    words.extend(gateways.iter().map(|gateway| format!("{interface}: default route via {gateway}")));
    let answers = |gateway| format!("{interface}: what its own address sends goes via {gateway}");
    words.extend(source_gateways.iter().map(answers));
    words
}
