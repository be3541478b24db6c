//! `probe`: whether iptables can work on this host, without running it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use jail_firewall::Place;
use jail_firewall::nft::netlink;
use jail_firewall::reach::Version;
use jail_net::backend::Support;
use nftables::types::NfFamily;
use nix::sys::utsname::uname;

use crate::has_ipv6;
use crate::programs::{Programs, Variant};

pub(crate) fn probe(place: &Place) -> Support {
    let versions: &[Version] = if has_ipv6() { &Version::BOTH } else { &[Version::V4] };
    for version in versions {
        let programs = Programs::chosen(place, *version);
        for program in [programs.restore(), programs.save()] {
            if place.find(&program).is_none() {
                return no(format!("no program {program} in PATH"), "install the package iptables");
            }
        }
        match programs.variant {
            Variant::Nft if !has_nf_tables() => {
                return no(
                    "this kernel has no nf_tables, which iptables-nft needs".to_owned(),
                    "choose the other variant: update-alternatives --set iptables /usr/sbin/iptables-legacy",
                );
            }
            Variant::Legacy if !has_ip_tables(*version) => {
                return no(
                    "this kernel has no ip_tables, which iptables-legacy needs".to_owned(),
                    "choose the other variant: update-alternatives --set iptables /usr/sbin/iptables-nft",
                );
            }
            _ => {}
        }
    }
    Support::Yes
}

fn no(reason: String, hint: &str) -> Support {
    Support::No { reason, hint: hint.to_owned() }
}

/// Whether the kernel has nf_tables, in which there are tables whether or not there is a program for them.
pub(crate) fn has_nf_tables() -> bool {
    match netlink::has_table(NfFamily::IP, "filter") {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::PermissionDenied, // not for who asks
    }
}

/// In the kernel, or a module that it loads when it is asked.
fn has_ip_tables(version: Version) -> bool {
    let name = if version == Version::V4 { "ip_tables" } else { "ip6_tables" };
    Path::new("/proc/thread-self/net").join(format!("{name}_names")).exists() || has_module(name)
}

fn has_module(name: &str) -> bool {
    let Ok(kernel) = uname() else { return false };
    let dir = Path::new("/lib/modules").join(kernel.release());
    let file = format!("/{name}.ko");
    ["modules.dep", "modules.builtin"]
        .iter()
        .any(|list| fs::read_to_string(dir.join(list)).is_ok_and(|list| list.contains(&file)))
}
