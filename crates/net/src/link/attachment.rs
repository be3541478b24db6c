//! What every link backend decides about an attachment.

use crate::backend::{Failure, Kind};
use crate::mac::Mac;
use crate::model::Attachment;

/// The smallest MTU the kernel gives an Ethernet interface.
const SMALLEST: u32 = 68;

/// Its MTU, where `on`, the bridge or the parent, carries at most `largest`: a larger one would lose its packets there.
///
/// # Errors
/// `Invalid` when it cannot be.
pub fn mtu(attachment: &Attachment, largest: u32) -> Result<u32, Failure> {
    let (Some(mtu), on) = (attachment.mtu, attachment.network.interface()) else { return Ok(largest) };
    let refused = |why: String, hint: String| {
        let object = format!("--mtu={mtu}");
        let message = format!("{object}: {why}");
        Err(Failure::new(Kind::Invalid, "network", "plan link", object, message).hint(hint))
    };
    if mtu > largest {
        let hint = format!("choose {largest} or less, or raise it with: ip link set {on} mtu {mtu}");
        return refused(format!("{on} carries at most {largest}"), hint);
    }
    if mtu < SMALLEST {
        return refused(
            format!("an interface has {SMALLEST} or more"),
            "1280 is enough for every protocol".into(),
        );
    }
    Ok(mtu)
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
