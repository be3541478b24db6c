//! What the host has of ours, read back with `nft list table`: the slow way, for when the undo is not known.
//!
//! Read as plain JSON: the crate's types know fewer set types, flags and statements than nft lists, and one that they
//! do not know fails the whole table. Protocols are listed as the numbers we give (`-p`).

use std::collections::BTreeMap;

use jail_net::backend::{Failure, Kind};
use jail_net::model::JailId;
use nftables::types::NfFamily;
use serde_json::Value;

use super::entry::Entry;
use super::{run, word};
use crate::Place;

/// One table of ours as it is.
#[derive(Debug)]
pub struct Listing {
    /// The elements that say whose they are.
    pub entries: Vec<Owned>,
    /// Those that are no jail's alone.
    pub shared: Vec<Entry>,
    /// How many rules each chain has.
    pub rules: BTreeMap<String, usize>,
}

/// An element and whose it is.
#[derive(Debug)]
pub struct Owned {
    /// The element.
    pub entry: Entry,
    /// Whose it is.
    pub jail: JailId,
}

/// Reads a table; `None` when there is none.
///
/// # Errors
/// What nft says, or that it cannot be understood.
pub fn read(place: &Place, family: NfFamily, name: &str) -> Result<Option<Listing>, Failure> {
    let Some(text) = run::ask(place, &["-j", "-p", "list", "table", word(family), name])? else {
        return Ok(None);
    };
    let document: Value = serde_json::from_str(&text).map_err(|error| {
        let message = format!("nft lists its tables in a way that cannot be read: {error}");
        Failure::new(Kind::Failed, "network", "nft list table", "nft", message)
    })?;
    let mut listing = Listing { entries: Vec::new(), shared: Vec::new(), rules: BTreeMap::new() };
    for object in document["nftables"].as_array().into_iter().flatten() {
        if let Some(set) = object.get("set").or_else(|| object.get("map")) {
            for element in set["elem"].as_array().into_iter().flatten() {
                match entry(family, &set["name"], element) {
                    Some((entry, Some(jail))) => listing.entries.push(Owned { entry, jail }),
                    Some((entry, None)) => listing.shared.push(entry),
                    None => {} // somebody else's: ours have a comment and a shape we know
                }
            }
        } else if let Some(chain) = object["rule"]["chain"].as_str() {
            *listing.rules.entry(chain.to_owned()).or_default() += 1;
        }
    }
    Ok(Some(listing))
}

/// An element and the jail its comment names: `{"elem": {"val": KEY, "comment": ..}}`, of a map `[{"elem": ..}, VALUE]`.
fn entry(family: NfFamily, set: &Value, element: &Value) -> Option<(Entry, Option<JailId>)> {
    let (key, value) = match element.as_array().map(Vec::as_slice) {
        Some([key, value]) => (key, Some(value)),
        _ => (element, None),
    };
    let key = key.get("elem")?;
    let jail = key.get("comment")?.as_str()?.split(' ').next()?.parse().ok();
    let value = value.map(|value| serde_json::from_value(value.clone())).transpose().ok()?;
    let key = serde_json::from_value(key.get("val")?.clone()).ok()?;
    Some((Entry { family, set: set.as_str()?.to_owned(), key, value }, jail))
}
