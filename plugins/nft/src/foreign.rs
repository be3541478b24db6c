//! The jail's second table: it keeps a jail without egress from calling machines on its bridge that are no jails (a
//! virtual machine, an uplink, a port that somebody added) where the host's bridge table no longer does, after
//! `nft flush ruleset`.
//!
//! The table of family inet tracks connections, and marks what opens one on the jail's own bridge. To whom it goes is
//! known as the frame leaves, by its MAC. The jail has no say in either: marks and the neighbour table belong to who
//! owns the namespace. The limits: a machine that gives itself a MAC that begins as a jail's is taken for a jail, and a
//! jail whose MAC was chosen by hand is not.
//!
//! A bridge of ours has such ports only if somebody adds one: where the kernel lacks the hook, its jails do without.

use jail_net::backend::{Failure, Request};
use jail_net::model::{Attachment, Egress};
use nftables::expr::MetaKey;
use nftables::types::NfFamily;

use crate::rule::{Object, Stmt, Writer, and, count, drop, field, is, is_not, meta, number, set_mark, text};

/// The mark of a packet that opens a connection on the jail's own bridge. Nobody else's rules are in the namespace.
const OPENS: u32 = 1;

/// What every jail's MAC begins with (`jail_net::mac`), and how much of it that is.
const JAILS: &str = "02:6a:00:00:00:00";
const BEGINNING: &str = "ff:ff:00:00:00:00";

/// Whether machines may be near that the jail must be kept from: on the bridge of this interface.
pub(crate) fn may_be_near(attachment: &Attachment, egress: Egress) -> bool {
    egress != Egress::Allow && attachment.network.bridge().is_some()
}

/// Whether such machines are to be expected: the bridge is somebody else's.
pub(crate) fn are_near(want: &Request) -> bool {
    want.egress != Egress::Allow && want.attachments.iter().any(|attachment| attachment.network.is_adopted())
}

/// Whether other jails' tables take this interface for one of a machine that is no jail.
pub(crate) fn is_taken_for_a_strangers(attachment: &Attachment) -> bool {
    attachment.network.bridge().is_some()
        && !attachment.addresses.is_empty()
        && !attachment.mac.starts_with(&JAILS[..5])
}

/// Marks a packet as one that opens a connection.
pub(crate) fn opens() -> Stmt {
    set_mark(OPENS)
}

/// The commands that make the table; none where no interface needs it. It dies with the namespace.
pub(crate) fn table(want: &Request) -> Vec<Object> {
    let guarded = || want.attachments.iter().filter(|attachment| may_be_near(attachment, want.egress));
    if guarded().next().is_none() {
        return Vec::new();
    }
    let mut table = Writer::create(NfFamily::NetDev);
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

/// What to do where the kernel lacks the hook and such machines are to be expected.
pub(crate) fn explain(failure: Failure) -> Failure {
    failure.hint(
        "a jail without egress on a bridge of somebody else's needs nftables' egress hook (Linux 5.16): use a \
         network of its own (jail net create), or --egress=allow",
    )
}

#[cfg(test)]
mod tests {
    use jail_net::mac::Mac;

    use super::*;
    use crate::packets::world::{on_lan, ours, request};

    #[test]
    fn a_jail_without_egress_on_a_bridge_has_the_table() {
        let mut want = request(10, &[], Egress::Deny);
        assert!(!table(&want).is_empty() && are_near(&want));
        want.attachments[0].network = ours();
        assert!(!table(&want).is_empty() && !are_near(&want));
        want.attachments = vec![on_lan(10)];
        assert!(table(&want).is_empty());
        assert!(table(&request(10, &[], Egress::Allow)).is_empty());
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
