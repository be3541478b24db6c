//! What the user changes of the default filter: `--seccomp=a,@group,!b,c:ENOSYS`.

use std::collections::BTreeMap;

use jail_sys::Failure;
use serde::{Deserialize, Serialize};

use super::action::ErrorAction;
use super::item::{self, Item, Target, What, invalid};
use super::table::Call;

/// Changes to the default filter, or to a profile's.
///
/// A call named itself counts more than a group that holds it; where both say something, what is permitted wins over
/// what is refused, so that `@default,!@mount` means what it reads like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Refused as well.
    pub refuse: Vec<Item>,
    /// Permitted whatever the arguments are.
    pub permit: Vec<Target>,
}

/// What is said of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is refused, with an action of its own or with the one that all have.
    Refuse(Option<ErrorAction>),
    Permit,
}

impl Changes {
    /// Reads items separated by commas, each after `!` if it is to be permitted.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        let option = format!("--seccomp={text}");
        let mut changes = Changes::default();
        for (excepted, item) in item::list(&option, text)? {
            match (excepted, item.action) {
                (false, _) => changes.refuse.push(item),
                (true, None) => changes.permit.push(item.target),
                (true, Some(_)) => {
                    let why = format!("!{item} permits the call and says what becomes of a refused one");
                    return Err(invalid(&option, why).hint(format!("say !{}, or {item}", item.target)));
                }
            }
        }
        Ok(changes)
    }

    /// What the changes say of a call.
    pub(crate) fn of(&self, call: &Call) -> Option<Change> {
        let refused = item::find(&self.refuse, call);
        let holds = |target: &Target| target.group().is_some_and(|group| group.holds(call));
        match refused {
            _ if self.permit.iter().any(|target| target.names(call)) => Some(Change::Permit),
            Some(item) if item.target.names(call) => Some(Change::Refuse(item.action)),
            _ if self.permit.iter().any(holds) => Some(Change::Permit),
            refused => refused.map(|item| Change::Refuse(item.action)),
        }
    }

    /// What they say of numbers that have no name.
    pub(crate) fn numbers(&self) -> BTreeMap<u32, Change> {
        let refused = self.refuse.iter().map(|item| (&item.target, Change::Refuse(item.action)));
        let permitted = self.permit.iter().map(|target| (target, Change::Permit));
        let number = |(target, change): (&Target, Change)| match target.what {
            What::Number(number) => Some((number, change)),
            What::Call(_) | What::Group(_) => None,
        };
        refused.chain(permitted).filter_map(number).collect()
    }

    /// Whether nothing contradicts itself.
    ///
    /// # Errors
    /// [`jail_sys::Kind::Usage`], naming the items.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let option = self.option();
        let refused = |target: &&Target| self.refuse.iter().any(|item| item.target.what == target.what);
        if let Some(target) = self.permit.iter().find(refused) {
            let why = format!("{target} is refused and permitted");
            return Err(invalid(&option, why).hint("say one of the two"));
        }
        item::check_actions(&option, &self.refuse)
    }

    /// The option as the user wrote it, or would have.
    pub(crate) fn option(&self) -> String {
        let permit = self.permit.iter().map(|target| format!("!{target}"));
        let items: Vec<_> = self.refuse.iter().map(Item::to_string).chain(permit).collect();
        format!("--seccomp={}", items.join(","))
    }
}
