//! `Firewall`: what a host's jails have their rules by, and the same test on a host of each kind.

/// What a host's jails have their rules by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firewall {
    /// nft, which is chosen where nothing else is said.
    Nft,
    /// iptables by way of nf_tables, on a host whose `jail` has no backend nft.
    IptablesNft,
    /// iptables by way of the kernel's ip_tables, likewise.
    IptablesLegacy,
}

impl Firewall {
    /// The backend's name.
    pub fn backend(self) -> &'static str {
        match self {
            Firewall::Nft => "nft",
            Firewall::IptablesNft | Firewall::IptablesLegacy => "iptables",
        }
    }

    /// A script that makes a host one of this kind: its own `/etc/alternatives` says which iptables it has, and a table of
    /// the legacy variant is there before any jail, for it never goes again.
    pub(crate) fn choose(self, built: &str) -> String {
        let variant = match self {
            Firewall::Nft => return "true".to_owned(),
            Firewall::IptablesNft => "nft",
            Firewall::IptablesLegacy => "legacy",
        };
        format!(
            "set -e; mkdir /run/without-nft; cp {built}/jail {built}/libjail_*.so /run/without-nft
             rm /run/without-nft/libjail_nft.so; umount {built}; mount --bind /run/without-nft {built}
             for ip in iptables ip6tables; do
                 for action in '' -save -restore; do
                     ln -sf /usr/sbin/$ip-{variant}$action /etc/alternatives/$ip$action
                 done
                 for table in filter nat; do $ip -w -t $table -L -n >/dev/null; done
             done"
        )
    }

    /// A script that prints all rules of a host, without counters.
    pub(crate) fn list(self) -> &'static str {
        match self {
            Firewall::Nft => "nft --stateless list ruleset",
            _ => {
                "nft --stateless list ruleset; { iptables-save; ip6tables-save; } | sed -E '/^#/d; s/ \\[[0-9:]+\\]$//'"
            }
        }
    }

    /// A script that removes all rules of a host.
    pub fn flush(self) -> &'static str {
        match self {
            Firewall::Nft => "nft flush ruleset",
            _ => {
                "for table in filter nat; do iptables -w -t $table -F; iptables -w -t $table -X; done; nft flush ruleset"
            }
        }
    }
}

/// The same tests on a host of each [`Firewall`]: functions that take a `&Host`.
#[macro_export]
macro_rules! on_each_firewall {
    ($($test:ident),+ $(,)?) => {
        mod nft {
            $(#[test] fn $test() { super::$test(&$crate::Host::with($crate::Firewall::Nft)); })+
        }
        mod iptables_nft {
            $(#[test] fn $test() { super::$test(&$crate::Host::with($crate::Firewall::IptablesNft)); })+
        }
        mod iptables_legacy {
            $(#[test] fn $test() { super::$test(&$crate::Host::with($crate::Firewall::IptablesLegacy)); })+
        }
    };
}
