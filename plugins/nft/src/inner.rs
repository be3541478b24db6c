//! The jail's own table, in its own network namespace: the same policy again, where `nft flush ruleset` on the host
//! does not reach. The namespace belongs to the host's user namespace, so the jail cannot touch it.

use ipnet::IpNet;
use jail_net::backend::Request;
use jail_net::model::Egress;
use nftables::types::{NfChainType, NfFamily, NfHook};

use crate::rule::{
    Expr, Object, Writer, accept, any_of, field, is, oif, prefix, refuse, related_error, state, text,
};

const FILTER: i32 = 0;

/// The commands that make the table, none when every connection is allowed: which of the host's addresses lead to a
/// published port is known to the host only. The table dies with the namespace.
pub(crate) fn table(want: &Request) -> Vec<Object> {
    if want.egress == Egress::Allow {
        return Vec::new();
    }
    let mut table = Writer::create(NfFamily::INet);
    table.hook("output", NfChainType::Filter, NfHook::Output, FILTER);
    table.rule("output", [is(oif(), text("lo")), accept()]);
    table.rule("output", [state("established"), accept()]);
    let [related, icmp] = related_error();
    table.rule("output", [related, icmp, accept()]);
    for attachment in &want.attachments {
        for host in attachment.network.host_addresses() {
            table.rule("output", [is(destination(&host), text(host.addr().to_string())), refuse()]);
        }
        for net in &attachment.addresses {
            let own = prefix(net.trunc().addr().to_string(), net.prefix_len());
            table.rule(
                "output",
                [is(oif(), text(&attachment.interface)), is(destination(net), own), accept()],
            );
        }
    }
    let neighbours = any_of(&["nd-neighbor-solicit", "nd-neighbor-advert"]);
    table.rule("output", [is(field("icmpv6", "type"), neighbours), accept()]);
    table.rule("output", [refuse()]);
    table.finish()
}

fn destination(net: &IpNet) -> Expr {
    field(if net.addr().is_ipv4() { "ip" } else { "ip6" }, "daddr")
}
