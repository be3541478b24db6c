//! What iptables-nft makes of the kernel's own tables and chains by being asked for a rule there, and how it goes again.
//! nf_tables itself is asked: iptables-save shows chains that are not there.
//!
//! The legacy variant's tables are the kernel's: one that was not there before stays, empty.

use std::fs;
use std::io;

use jail_firewall::nft::netlink;
use jail_firewall::reach::Version;
use jail_net::backend::Failure;
use jail_net::model::JailId;
use nftables::types::NfFamily;

use crate::chains::{self, MADE};
use crate::change::Missing;
use crate::host::Rules;
use crate::programs::{Programs, Variant};
use crate::rule::{Rule, Table};
use crate::saved::Saved;

fn family(version: Version) -> NfFamily {
    match version {
        Version::V4 => NfFamily::IP,
        Version::V6 => NfFamily::IP6,
    }
}

/// Whether there is a table: to ask the legacy variant itself would make it.
pub(crate) fn has_table(programs: &Programs<'_>, table: Table) -> Result<bool, Failure> {
    let file = match (programs.variant, programs.version) {
        (Variant::Nft, _) => {
            return netlink::has_table(family(programs.version), table.as_str())
                .map_err(|error| failed(table, &error));
        }
        (Variant::Legacy, Version::V4) => "/proc/thread-self/net/ip_tables_names",
        (Variant::Legacy, Version::V6) => "/proc/thread-self/net/ip6_tables_names",
    };
    Ok(fs::read_to_string(file).is_ok_and(|names| names.lines().any(|name| name == table.as_str())))
}

/// What these rules need and the kernel has not.
pub(crate) fn missing(programs: &Programs<'_>, rules: &Rules) -> Result<Missing, Failure> {
    let mut missing = Missing::default();
    if programs.variant == Variant::Legacy {
        return Ok(missing);
    }
    for table in rules.keys() {
        if !has_table(programs, *table)? {
            missing.tables.insert(*table);
        }
        for (hook, _) in chains::hooks(*table) {
            let there = netlink::has_chain(family(programs.version), table.as_str(), hook);
            if !there.map_err(|error| failed(*table, &error))? {
                missing.chains.insert((*table, *hook));
            }
        }
    }
    Ok(missing)
}

/// Removes the tables that we made, once no jail that stays has rules there and nobody else uses them; one that somebody
/// uses is theirs from now on.
pub(crate) fn remove(version: Version, saved: &Saved, gone: impl Fn(&JailId) -> bool) -> Result<(), Failure> {
    for table in [Table::Nat, Table::Filter] {
        let Some(there) = saved.table(table) else { continue };
        let in_use = there.rules.iter().filter_map(Rule::jail).any(|jail| !gone(&jail));
        if there.chains.contains_key(MADE) && !in_use {
            netlink::remove_empty_table(family(version), table.as_str(), MADE)
                .map_err(|error| failed(table, &error))?;
        }
    }
    Ok(())
}

fn failed(table: Table, error: &io::Error) -> Failure {
    Failure::call("network", "ask nf_tables about", format!("table {}", table.as_str()), error)
}
