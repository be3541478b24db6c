//! The fixed part of the host's rules: two tables that are the same for 1 or 1,000 jails. What is a jail's comes and
//! goes as set and map elements ([`crate::elements`]), so a packet meets the same few rules however many jails run.

mod bridge;
mod inet;

use nftables::types::NfFamily;

use jail_net::backend::Failure;

use crate::netlink;
use crate::rule::Object;

/// The families we have a table in.
pub(crate) const FAMILIES: [NfFamily; 2] = [NfFamily::INet, NfFamily::Bridge];

/// The commands that make the table of a family; they fail with EEXIST where there is one.
pub(crate) fn table(family: NfFamily) -> Vec<Object> {
    match family {
        NfFamily::Bridge => bridge::table(),
        _ => inet::table(),
    }
}

/// A family as nft writes it.
pub(crate) fn word(family: NfFamily) -> &'static str {
    match family {
        NfFamily::Bridge => "bridge",
        _ => "inet",
    }
}

/// Whether the host has a table of our name of this family.
pub(crate) fn is_there(family: NfFamily) -> Result<bool, Failure> {
    netlink::has_table(family).map_err(|error| Failure::call("network", "nf_tables get table", "nft", &error))
}

/// Whether that table is one of ours, of whatever version. Nothing but a set of it can say so: nft 1.0.6 knows no
/// comment of a table in JSON.
pub(crate) fn is_ours(family: NfFamily) -> Result<bool, Failure> {
    let set = if family == NfFamily::Bridge { "known4" } else { "jails4" };
    netlink::has_set(family, set)
        .map_err(|error| Failure::call("network", "nf_tables get set", "nft", &error))
}
