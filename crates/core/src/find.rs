//! Finding a jail by its name, its id, or the pid of any process in it.

use jail_sys::{Failure, Kind};

use crate::place::Place;
use crate::processes::jail_of;
use crate::registry::Registered;
use crate::stop::supervisor_of;

/// The living jail that `word` names: its name, its id, or the pid (seen from the host) of any process in it.
///
/// # Errors
/// `NotFound` when there is none, with the remedy when it has died and left something; why its files cannot be read.
pub fn find(place: &Place, word: &str) -> Result<Registered, Failure> {
    let jails = place.registry().living()?;
    let by_word = jails.iter().position(|jail| jail.plan.name == word || jail.plan.id.as_str() == word);
    let (found, pid) = match (by_word, word.parse::<i32>()) {
        (Some(index), _) => (jails.into_iter().nth(index), false),
        (None, Ok(pid)) => (jail_of(pid, jails), true),
        (None, Err(_)) => (None, false),
    };
    if let Some(found) = found {
        return Ok(found);
    }
    if let Some(why) = place.registry().unreadable_named(word)? {
        return Err(match supervisor_of(&place.registry().home(word)) {
            Some(pid) => why.hint(format!("it lives all the same; end it with: kill {pid}")),
            None => why,
        });
    }
    if let Some(dead) = place.registry().left_behind()?.into_iter().find(|dead| dead.object == word) {
        return Err(dead);
    }
    let message =
        if pid { format!("no process {word} is in a jail") } else { format!("there is no jail {word}") };
    Err(Failure::new(Kind::NotFound, "state", "find", word, message).hint("see what runs with: jail list"))
}
