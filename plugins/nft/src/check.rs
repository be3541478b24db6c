//! `check`: the tables as they are against what a jail should have in them, in words.

use jail_firewall::Place;
use jail_net::backend::{Drift, Failure, Request};

use crate::{elements, tables};

pub(crate) fn check(place: &Place, want: &Request) -> Result<Drift, Failure> {
    let own = elements::of(want)?;
    let shared: Vec<_> = want.forwards.iter().map(|interface| elements::forwards(interface)).collect();
    if own.is_empty() && shared.is_empty() {
        return Ok(Drift::default()); // on no bridge: the host's rules never see it
    }
    let differences = tables(place).check(&want.jail, &own, &shared)?;
    Ok(Drift { differences })
}
