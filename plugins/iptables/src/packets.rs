//! The tests that every firewall backend must pass, for both variants of iptables; what is this backend's own is in
//! `own` and `without_nft`.

mod own;
mod without_nft;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use jail_firewall::Place;
use jail_net::backend::Backend;
use jail_net::conformance::{Must, Subject};

use crate::Iptables;

/// Links in `dir` by which the programs of one variant are found before the machine's own choice.
fn choose(variant: &str, dir: &Path) -> PathBuf {
    let chosen = dir.join(variant);
    fs::create_dir_all(&chosen).must();
    for program in ["iptables", "ip6tables"] {
        for action in ["save", "restore"] {
            let real = Place::default().find(&format!("{program}-{variant}-{action}"));
            let real = real.unwrap_or_else(|| panic!("{program}-{variant} is not installed"));
            let link = chosen.join(format!("{program}-{action}"));
            if link.symlink_metadata().is_err() {
                let _ = symlink(real, link); // another call may be quicker
            }
        }
    }
    chosen
}

fn backend(variant: &str, run: &Path, programs: &Path) -> Box<dyn Backend> {
    let mut place = Place { run: run.into(), ..Place::default() };
    place.programs.insert(0, choose(variant, run));
    place.programs.insert(0, programs.into());
    Box::new(Iptables(place))
}

/// What is known of a variant: the programs are the machine's own, by their full names.
macro_rules! variant {
    ($variant:literal) => {
        Subject {
            backend: |run, programs| backend($variant, run, programs),
            program: "iptables-restore",
            real: concat!("iptables-", $variant, "-restore"),
            list: concat!(
                "nft -s list ruleset; for ip in iptables ip6tables; do $ip-",
                $variant,
                "-save; done",
                // An empty table of the legacy variant's stays until the kernel unloads it.
                " | sed '/^#/d; /^[*]/d; /^COMMIT/d; /^:[A-Z]* ACCEPT/d; s/ .[0-9]*:[0-9]*.$//'"
            ),
            flush: concat!(
                "for ip in iptables ip6tables; do for table in filter nat mangle; do
                 $ip-",
                $variant,
                " -w -t $table -F; $ip-",
                $variant,
                " -w -t $table -X; done; done; nft flush ruleset"
            ),
            admin: concat!(
                "for ip in iptables ip6tables; do $ip-",
                $variant,
                " -w -N JAIL-OF-ANOTHER; $ip-",
                $variant,
                " -w -A FORWARD -i vm0 -j JAIL-OF-ANOTHER; $ip-",
                $variant,
                " -w -t nat -A POSTROUTING -o vm0 -j MASQUERADE; done"
            ),
            forge: concat!("ip6tables-", $variant, " -w -D OUTPUT -m addrtype ! --src-type LOCAL -j DROP"),
        }
    };
}

const LEGACY: Subject = variant!("legacy");
const NFT: Subject = variant!("nft");

mod legacy {
    jail_net::conformance!(super::LEGACY);
}

mod nft {
    jail_net::conformance!(super::NFT);
}
