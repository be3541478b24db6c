//! A table in the jail's network namespace, where its bridge is somebody else's and has ports that are no jail's: a
//! virtual machine, an uplink. The host's bridge table keeps the jail from calling them; this one does where
//! `nft flush ruleset` on the host does not reach.
//!
//! The jail's other rules track connections, and mark what opens one on the jail's own bridge. To whom it goes is
//! known as the frame leaves, by its MAC. The jail has no say in either: marks and the neighbour table belong to who
//! owns the namespace. The one limit: a machine that gives itself a MAC that begins as a jail's is taken for a jail.
//!
//! On a bridge of ours every port is taken for a jail's, and nothing of this is made.

use jail_net::backend::{Failure, Kind, Request};
use jail_net::model::{Attachment, Egress};
use nftables::expr::MetaKey;
use nftables::types::NfFamily;

use super::rule::{
    self, Object, Stmt, Writer, and, count, drop, field, is, is_not, meta, number, set_mark, text,
};

/// The mark of a packet that opens a connection on the jail's own bridge. Nobody else's rules are in the namespace.
pub const OPENS: u32 = 1;

/// The name of the table. No other backend's rules are in the namespace.
pub const TABLE: &str = "jail";

/// What every jail's MAC begins with (`jail_net::mac`), and how much of it that is.
const JAILS: &str = "02:6a:00:00:00:00";
const BEGINNING: &str = "ff:ff:00:00:00:00";

/// Whether the jail must be kept from machines on the bridge of this interface.
pub fn are_near(attachment: &Attachment, egress: Egress) -> bool {
    egress != Egress::Allow && attachment.network.is_adopted()
}

/// Marks a packet as one that opens a connection.
pub fn opens() -> Stmt {
    set_mark(OPENS)
}

/// The commands that make the table; none where no interface needs it. It dies with the namespace.
pub fn table(want: &Request) -> Vec<Object> {
    let guarded = || want.attachments.iter().filter(|attachment| are_near(attachment, want.egress));
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

/// Where the kernel lacks what these commands need for this table, what to do about it.
pub fn explain(failure: Failure, commands: &[Object]) -> Failure {
    let asked = rule::families(commands).any(|family| family == NfFamily::NetDev);
    if !asked || failure.kind != Kind::Unsupported {
        return failure;
    }
    failure.hint(
        "a jail without egress on a bridge of somebody else's needs nftables' egress hook (Linux 5.16): use a \
         network of its own (jail net create), or --egress=allow",
    )
}

#[cfg(test)]
mod tests {
    use jail_net::mac::Mac;

    use super::*;
    use jail_net::conformance::{ours, request};

    #[test]
    fn only_a_jail_without_egress_on_a_bridge_of_somebody_elses_has_the_table() {
        let mut want = request(10, &[], Egress::Deny);
        assert!(!table(&want).is_empty());
        want.attachments[0].network = ours();
        assert!(table(&want).is_empty());
        assert!(table(&request(10, &[], Egress::Allow)).is_empty());
    }

    #[test]
    fn a_jails_mac_begins_as_the_table_has_it() {
        let mac = Mac::of_address("10.10.20.10".parse().unwrap()).to_string();
        assert_eq!(mac[..5], JAILS[..5]);
    }

    #[test]
    fn a_kernel_without_the_hook_is_an_error_with_a_remedy() {
        let unsupported =
            || Failure::new(Kind::Unsupported, "network", "nft", "nft", "nft refused the rules");
        let mut want = request(10, &[], Egress::Deny);
        assert!(explain(unsupported(), &table(&want)).hint.contains("--egress=allow"));
        want.attachments[0].network = ours();
        assert!(explain(unsupported(), &table(&want)).hint.is_empty());
    }
}
