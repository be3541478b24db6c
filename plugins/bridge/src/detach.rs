//! Taking interfaces away. A veth goes with the jail's network namespace, in the background: deleting it costs tens of
//! milliseconds under the lock that every other start needs. But somebody's descriptor, a socket that the jail passed to
//! another jail, can hold the namespace for ever: off the bridge at once, the veth leads nowhere whoever holds it.

use jail_net::backend::{Failure, Reaped};
use jail_net::host::has_interface;
use jail_net::link::request::{self as link, Link};
use jail_net::link::{Wire, wait_until};
use jail_net::model::{INTERFACES, JailId};
use rtnetlink::Handle;

/// Every name a link of this jail can have.
pub(crate) fn names_of(jail: &JailId) -> Vec<String> {
    (0..INTERFACES).map(|index| jail.link_name(index)).collect()
}

/// Takes the links that are still there off their bridge.
pub(crate) async fn leave(names: &[String]) -> Result<(), Failure> {
    on_each(names, async |handle, name| link::leave_bridge(handle, name).await).await
}

/// Returns when links that are about to go are gone; deletes what stays.
pub(crate) async fn wait(names: &[String]) -> Result<(), Failure> {
    if gone(names).await? { Ok(()) } else { delete(names).await }
}

/// Waits until links that are about to go are gone; `false` if they stay.
pub(crate) async fn gone(names: &[String]) -> Result<bool, Failure> {
    wait_until(async |_| Ok(!names.iter().any(|name| has_interface(name)))).await
}

/// Deletes the links that are there; returns when they are gone.
pub(crate) async fn delete(names: &[String]) -> Result<(), Failure> {
    on_each(names, async |handle, name| link::delete(handle, name).await.map(drop)).await
}

/// Does something with each of the links that is there.
async fn on_each(
    names: &[String],
    work: impl AsyncFn(&Handle, &str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let names: Vec<&String> = names.iter().filter(|name| has_interface(name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let each = |handle, _| async move {
        for name in names {
            work(&handle, name).await?;
        }
        Ok(())
    };
    Wire::open()?.run(each).await
}

/// Deletes every link that is named after a jail which is not alive.
pub(crate) async fn gc(handle: &Handle, alive: &[JailId]) -> Result<Reaped, Failure> {
    let mut removed = Vec::new();
    for link in link::all(handle).await?.iter().filter(|link| belongs_to_none_of(link, alive)) {
        if link::delete(handle, &link.name).await? {
            removed.push(format!("link {}", link.name));
        }
    }
    Ok(Reaped { removed })
}

fn belongs_to_none_of(link: &Link, alive: &[JailId]) -> bool {
    link.is_veth() && jail_of(&link.name).is_some_and(|jail| !alive.contains(&jail))
}

/// Whose link a name says it is.
pub(crate) fn jail_of(name: &str) -> Option<JailId> {
    let (id, index) = name.strip_prefix('j')?.split_at_checked(12)?;
    let index: usize = index.parse().ok().filter(|index| *index < INTERFACES)?;
    let jail: JailId = id.parse().ok()?;
    (jail.link_name(index) == name).then_some(jail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_of_ours_belongs_to_a_jail() {
        assert_eq!(jail_of("j3fa04b11c2d90").unwrap().as_str(), "3fa04b11c2d9");
        for other in
            ["eth0", "j3fa04b11c2d9", "j3fa04b11c2d94", "j3fa04b11c2d9+0", "j3FA04b11c2d90", "x3fa04b11c2d90"]
        {
            assert!(jail_of(other).is_none(), "{other}");
        }
    }
}
