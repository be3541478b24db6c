//! The ports of a bridge: where there is no nft, a jail's bridge is one of ours and nothing but jails is on it.

use jail_net::backend::{Failure, Kind};
use jail_net::link::Wire;
use jail_net::link::request::{self, Link};
use jail_net::model::{INTERFACES, JailId};

/// Refuses a bridge with a port that is no jail's.
///
/// # Errors
/// `Unsupported`, naming the ports.
pub(crate) async fn refuse_foreign(bridges: &[String]) -> Result<(), Failure> {
    if bridges.is_empty() {
        return Ok(());
    }
    let links = Wire::open()?.run(async |handle, _| request::all(&handle).await).await?;
    for bridge in bridges {
        let Some(index) = links.iter().find(|link| link.name == *bridge).map(|link| link.index) else {
            continue;
        };
        let foreign = foreign(&links, index);
        if !foreign.is_empty() {
            return Err(cannot_tell(bridge, &format!("{} on that bridge", foreign.join(", "))));
        }
    }
    Ok(())
}

/// Why a bridge is refused.
pub(crate) fn cannot_tell(bridge: &str, what: &str) -> Failure {
    let object = format!("--net={bridge}");
    let message = format!("{object}: iptables alone cannot tell {what} from a jail");
    Failure::new(Kind::Unsupported, "network", "attach", object, message).hint(
        "install nftables, which does it for this backend too, or use a network of its own (jail net create)",
    )
}

/// The names of the ports of a bridge that are no jails'.
fn foreign(links: &[Link], bridge: u32) -> Vec<&str> {
    let ports = links.iter().filter(|link| link.master == Some(bridge)).map(|link| link.name.as_str());
    ports.filter(|name| !is_a_jails(name)).collect()
}

/// Whether a link is named as a jail's: see [`JailId::link_name`].
fn is_a_jails(name: &str) -> bool {
    let id = name.strip_prefix('j').and_then(|rest| rest.get(..12)).and_then(|id| id.parse::<JailId>().ok());
    id.is_some_and(|id| (0..INTERFACES).any(|index| id.link_name(index) == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jails_port_is_known_by_its_name() {
        for name in ["eth1", "vnet0", "j3fa04b11c2d94", "j3fa04b11c2d", "j3fa04b11c2dg0", "j"] {
            assert!(!is_a_jails(name), "{name}");
        }
        assert!(is_a_jails("j3fa04b11c2d90") && is_a_jails("j3fa04b11c2d93"));
    }
}
