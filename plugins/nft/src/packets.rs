//! The tests that every firewall backend must pass, and what of the rules is nft's own.

use std::path::Path;

use jail_firewall::Place;
use jail_net::backend::Backend;
use jail_net::conformance::{Case, Subject};
use jail_net::model::Egress::Deny;

use crate::Nft;

const NFT: Subject = Subject {
    backend,
    program: "nft",
    real: "nft",
    list: "nft -s list ruleset",
    flush: "nft flush ruleset",
    admin: "nft add table inet admin; nft add chain inet admin input '{ type filter hook input priority 0; }'",
    forge: "nft delete rule inet jail output handle \
            $(nft -a list chain inet jail output | sed -n 's/.*fib saddr.*handle //p')",
};

fn backend(run: &Path, programs: &Path) -> Box<dyn Backend> {
    let mut place = Place { run: run.into(), ..Place::default() };
    place.programs.insert(0, programs.into());
    Box::new(Nft(place))
}

jail_net::conformance!(NFT);

#[test]
fn what_somebody_took_away_is_told_and_what_is_left_can_be_removed() {
    let Some(world) = (Case { subject: &NFT, name: "" }).world() else { return };
    let web = world.attached(10, &["80"], Deny);
    world.host.sh(
        "nft delete element inet jail ports '{ tcp . 80 }'; nft delete element inet jail forwards '{ wan0 }'
         nft flush chain inet jail input; nft delete table bridge jail",
    );
    let expected = [
        "chain input of table inet jail has 0 rules instead of 2",
        "tcp . 80 in set ports of table inet jail is missing",
        "wan0 in set forwards of table inet jail is missing",
        "table bridge jail is missing",
    ];
    assert_eq!(world.check(&web).differences, expected);
    world.detach(&web, false);
    assert!(!world.rules().contains(web.want.jail.as_str()));
    world.attached(11, &["80"], Deny);
    assert!(world.rules().contains("table bridge jail"), "the next jail makes the missing table");
}

#[test]
fn a_table_of_our_name_that_is_somebody_elses_is_told_of_and_stays() {
    let Some(world) = (Case { subject: &NFT, name: "" }).world() else { return };
    for (number, family) in [(10, "inet"), (11, "bridge")] {
        world.host.sh(&format!("nft add table {family} jail; nft add chain {family} jail theirs"));
        let web = world.jail(number, &["80"], Deny);
        let failure = world.attach(&web).unwrap_err();
        let said = format!("table {family} jail is there, and somebody else's: jail did not make it");
        assert_eq!(failure.message, said);
        world.detach(&web, true);
        world.gc(&[]);
        assert!(world.rules().contains("theirs"));
        world.host.sh(&format!("nft delete table {family} jail"));
        world.attach(&web).unwrap();
        world.detach(&web, true);
        assert!(!world.rules().contains("table"), "what is ours goes");
    }
}
