//! A table in the jail's network namespace: it keeps a jail without egress from calling machines on its bridge that are
//! no jails (a virtual machine, an uplink, a port that somebody added) where the host's bridge table no longer does,
//! after `nft flush ruleset`.
//!
//! The jail's other rules track connections, and mark what opens one on the jail's own bridge. To whom it goes is
//! known as the frame leaves, by its MAC. The jail has no say in either: marks and the neighbour table belong to who
//! owns the namespace. The limits: a machine that gives itself a MAC that begins as a jail's is taken for a jail, and a
//! jail whose MAC was chosen by hand is not.
//!
//! A bridge of ours has such ports only if somebody adds one: where the kernel lacks the hook, its jails do without.

use jail_net::backend::{Failure, Kind, Request};
use jail_net::model::{Attachment, Egress};
use nftables::expr::MetaKey;
use nftables::types::NfFamily;
use serde::{Deserialize, Serialize};

use super::rule::{
    self, Object, Stmt, Writer, and, count, drop, field, is, is_not, meta, number, set_mark, text,
};

/// The mark of a packet that opens a connection on the jail's own bridge. Nobody else's rules are in the namespace.
pub const OPENS: u32 = 1;

/// The name of the table. No other backend's rules are in the namespace.
const TABLE: &str = "jail";

/// What every jail's MAC begins with (`jail_net::mac`), and how much of it that is.
const JAILS: &str = "02:6a:00:00:00:00";
const BEGINNING: &str = "ff:ff:00:00:00:00";

/// A jail's table of frames, as a plan has it. It dies with the namespace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Frames {
    /// The commands that make it; none where no interface needs it.
    pub commands: Vec<Object>,
    /// Whether the jail cannot do without it: machines are to be expected on its bridge, which is somebody else's.
    pub are_needed: bool,
}

impl Frames {
    /// What this jail needs.
    pub fn of(want: &Request) -> Self {
        let mut attachments = want.attachments.iter();
        let are_needed = want.egress != Egress::Allow && attachments.any(|at| at.network.is_adopted());
        Frames { commands: table(want), are_needed }
    }

    /// The commands that remove it, whether it is there or not.
    pub fn remove(&self) -> Vec<Object> {
        rule::families(&self.commands).flat_map(|family| rule::remove_table(family, TABLE)).collect()
    }

    /// Whether the jail does without it, because the kernel refused it for lack of the hook.
    ///
    /// # Errors
    /// What the kernel refused, where that is not the reason or the jail cannot do without.
    pub fn do_without(&self, refused: Failure) -> Result<(), Failure> {
        if refused.kind != Kind::Unsupported || self.commands.is_empty() {
            return Err(refused);
        }
        if self.are_needed {
            return Err(refused.hint(
                "a jail without egress on a bridge of somebody else's needs nftables' egress hook (Linux 5.16): use a \
                 network of its own (jail net create), or --egress=allow",
            ));
        }
        Ok(())
    }
}

/// Whether machines may be near that the jail must be kept from: on the bridge of this interface.
pub fn may_be_near(attachment: &Attachment, egress: Egress) -> bool {
    egress != Egress::Allow && attachment.network.bridge().is_some()
}

/// Whether other jails' tables take this interface for one of a machine that is no jail.
pub(crate) fn is_taken_for_a_strangers(attachment: &Attachment) -> bool {
    attachment.network.bridge().is_some()
        && !attachment.addresses.is_empty()
        && !attachment.mac.starts_with(&JAILS[..5])
}

/// Marks a packet as one that opens a connection.
pub fn opens() -> Stmt {
    set_mark(OPENS)
}

fn table(want: &Request) -> Vec<Object> {
    let guarded = || want.attachments.iter().filter(|attachment| may_be_near(attachment, want.egress));
    if guarded().next().is_none() {
        return Vec::new();
    }
    let mut table = Writer::create(NfFamily::NetDev, TABLE);
    for attachment in guarded() {
        let interface = &attachment.interface;
        let begins = and(field("ether", "daddr"), text(BEGINNING));
        table.egress(interface);
        table.rule(
            interface.clone(),
            [is(meta(MetaKey::Mark), number(OPENS)), is_not(begins, text(JAILS)), count(), drop()],
        );
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use jail_net::conformance::{on_lan, ours, request};
    use jail_net::mac::Mac;

    use super::*;

    #[test]
    fn a_jail_without_egress_on_a_bridge_has_the_table() {
        let mut want = request(10, &[], Egress::Deny);
        assert!(!Frames::of(&want).commands.is_empty());
        want.attachments[0].network = ours();
        assert!(!Frames::of(&want).commands.is_empty());
        want.attachments = vec![on_lan(10)];
        assert!(Frames::of(&want).commands.is_empty());
        assert!(Frames::of(&request(10, &[], Egress::Allow)).commands.is_empty());
    }

    #[test]
    fn on_a_kernel_without_the_hook_a_bridge_of_ours_does_without() {
        let refused = |kind| Failure::new(kind, "network", "nft", "nft", "nft refused the rules");
        let mut want = request(10, &[], Egress::Deny);
        let told = Frames::of(&want).do_without(refused(Kind::Unsupported)).unwrap_err();
        assert!(told.hint.contains("--egress=allow"), "{told}");
        want.attachments[0].network = ours();
        assert!(Frames::of(&want).do_without(refused(Kind::Unsupported)).is_ok());
        assert!(Frames::of(&want).do_without(refused(Kind::Failed)).is_err());
        want.egress = Egress::Allow;
        assert!(Frames::of(&want).do_without(refused(Kind::Unsupported)).is_err(), "it was something else");
    }

    #[test]
    fn a_jails_mac_begins_as_the_table_has_it() {
        let mac = Mac::of_address("10.10.20.10".parse().unwrap()).to_string();
        assert_eq!(mac[..5], JAILS[..5]);
        let mut jails = request(10, &[], Egress::Deny).attachments.remove(0);
        assert!(!is_taken_for_a_strangers(&jails));
        jails.mac = "02:00:00:00:00:05".into();
        assert!(is_taken_for_a_strangers(&jails));
    }
}
