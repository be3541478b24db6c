//! What every firewall backend must do, tried with packets in network namespaces that each test makes for itself. Each
//! protection is first shown to be needed.
//!
//! Whoever writes a backend says what it is with a [`Subject`], and runs the same tests as ours:
//!
//! ```no_run
//! use std::path::Path;
//!
//! use jail_net::backend::Backend;
//! use jail_net::conformance::Subject;
//!
//! const MINE: Subject = Subject {
//!     backend,
//!     program: "nft",
//!     real: "nft",
//!     list: "nft -s list ruleset",
//!     flush: "nft flush ruleset",
//!     admin: "nft add table inet admin",
//!     forge: "nft flush chain inet mine output",
//! };
//!
//! fn backend(locks: &Path, programs: &Path) -> Box<dyn Backend> {
//! #   let _ = (locks, programs);
//! #   unimplemented!()
//! #   /*
//!     Box::new(Mine { locks: locks.into(), programs: programs.into() })
//! #   */
//! }
//!
//! # mod tests {
//! # use super::MINE;
//! jail_net::conformance!(MINE);
//! # }
//! # fn main() {}
//! ```
//!
//! The tests need root, and say so where they do nothing without it; and the programs ip, sh, nft and whatever the
//! backend runs. They hold by any backend that knows a jail by its port of the bridge.

#[doc(hidden)]
pub mod allow;
#[doc(hidden)]
pub mod beside;
#[doc(hidden)]
pub mod foreign;
#[doc(hidden)]
pub mod forged;
mod net;
#[doc(hidden)]
pub mod orphan;
#[doc(hidden)]
pub mod policy;
#[doc(hidden)]
pub mod publish;
#[doc(hidden)]
pub mod removal;
mod world;

use std::fmt::Debug;
use std::path::Path;

use crate::backend::Backend;

pub use net::Net;
pub use world::{Jail, World, on_lan, ours, request, wait};

/// A backend as the tests need to know it. The scripts are for sh(1), run in a network namespace.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The backend, made anew: it keeps its locks in the first directory, and looks for programs in the second before
    /// it does elsewhere.
    pub backend: fn(&Path, &Path) -> Box<dyn Backend>,
    /// The program that applies its rules, once on the host and once in the jail's namespace at the same time.
    pub program: &'static str,
    /// The same as a command for sh(1) that leads past a stand-in for it.
    pub real: &'static str,
    /// Prints all rules but counters.
    pub list: &'static str,
    /// Removes all rules.
    pub flush: &'static str,
    /// Adds a rule of an administrator's that stops nothing.
    pub admin: &'static str,
    /// Takes from a jail's namespace the rule that drops packets from others' IPv6 addresses.
    pub forge: &'static str,
}

/// One test of one backend.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The backend.
    pub subject: &'a Subject,
    /// The test's name with its modules, as cargo(1) knows it.
    pub name: &'a str,
}

impl<'a> Case<'a> {
    /// The world of this test, unless it runs without root.
    pub fn world(&self) -> Option<World<'a>> {
        if nix::unistd::geteuid().is_root() {
            return Some(World::new(self.subject));
        }
        drop(std::io::Write::write_all(&mut std::io::stderr(), b"skipped: needs root\n"));
        None
    }
}

/// What a test takes for granted: it ends here if it is not so.
pub trait Must<T> {
    /// The value.
    ///
    /// # Panics
    /// When there is an error instead.
    fn must(self) -> T;
}

impl<T, E: Debug> Must<T> for Result<T, E> {
    #[track_caller]
    fn must(self) -> T {
        self.unwrap_or_else(|error| panic!("{error:?}"))
    }
}

/// The tests of a [`Subject`], each a `#[test]` of the module this stands in.
#[macro_export]
macro_rules! conformance {
    ($subject:expr) => {
        $crate::conformance! {
            $subject =>
            publish::a_published_port_is_reached_from_everywhere_by_every_address_of_the_host
            publish::all_of_it_holds_where_bridged_packets_pass_the_hosts_ip_rules
            publish::ports_are_published_over_udp_to_other_numbers_at_one_address_and_in_ranges
            publish::a_routing_neighbour_reaches_no_port_of_the_jail_itself
            publish::what_somebody_else_leads_to_a_jail_gets_only_to_what_it_publishes
            publish::a_port_that_another_jail_publishes_is_a_conflict_that_names_it_and_leaves_nothing
            policy::a_jail_opens_no_connection_and_is_told_at_once
            policy::flushing_the_hosts_rules_opens_nothing
            policy::a_jail_talks_to_the_jails_of_its_own_bridge
            policy::allowed_egress_goes_out_by_the_hosts_address_but_never_to_the_host
            policy::other_ports_of_the_bridge_and_other_peoples_traffic_are_left_alone
            policy::interfaces_that_forward_for_us_forward_nothing_else
            policy::a_host_that_routes_ipv6_goes_on_routing_it
            policy::the_hosts_loopback_is_not_reached_from_the_bridge
            forged::a_forged_source_gets_nowhere
            forged::arp_that_claims_anothers_address_stays_in_the_jail
            forged::frames_with_another_mac_stay_in_the_jail
            forged::a_jail_on_a_shared_bridge_answers_machines_there_but_calls_none
            removal::the_hosts_rules_after_the_last_jail_are_those_before_the_first
            removal::what_is_removed_is_the_jails_own_and_never_its_successors
            removal::gc_removes_what_dead_jails_left_and_with_nobody_alive_everything
            removal::jails_that_start_and_stop_at_once_do_not_disturb_each_other
            allow::flushing_the_hosts_rules_opens_neither_the_host_nor_our_other_networks
            allow::ports_that_jails_publish_are_reached_by_the_hosts_address_and_no_others
            allow::the_hosts_loopback_is_not_reached_by_a_socket_bound_to_the_interface
            allow::the_host_hears_no_broadcast_once_its_rules_are_flushed
            allow::the_same_holds_for_ipv6
            beside::it_answers_the_lan_and_opens_nothing_and_the_hosts_rules_are_left_alone
            beside::the_rules_of_other_jails_stay_when_it_ends
            beside::with_egress_it_reaches_the_lan_and_neither_the_host_nor_our_networks
            beside::on_a_bridge_as_well_it_is_held_to_each_networks_rules
            foreign::a_machine_on_the_bridge_is_not_called_once_the_hosts_rules_are_flushed
            foreign::a_call_is_not_taken_for_an_answer_because_the_jail_forged_the_question
            foreign::it_answers_machines_and_the_host_from_any_port_once_the_hosts_rules_are_flushed
            foreign::jails_talk_to_each_other_once_the_hosts_rules_are_flushed
            orphan::nothing_of_a_killed_start_comes_after_its_detach_or_gc
            orphan::a_killed_removal_of_what_is_shared_takes_it_from_no_jail_that_starts
            orphan::a_program_that_hangs_when_its_starter_was_killed_is_ended
        }
    };
    ($subject:expr => $($module:ident::$test:ident)*) => {
        $(
            #[test]
            fn $test() {
                let name = concat!(module_path!(), "::", stringify!($test));
                let subject = &$subject;
                $crate::conformance::$module::$test(&$crate::conformance::Case { subject, name });
            }
        )*
    };
}
