//! What can be typed: commands and their options, as `jail --help` shows them.

mod net;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args as Options, Parser, Subcommand};
use ipnet::Ipv4Net;
use jail_core::network::{Egress, Publish};

pub(crate) use self::net::{NetOption, NetOptions};

/// Runs a network service in a jail: its own processes, a read-only view of the host's files, filtered system calls,
/// an address of its own in a DMZ, chosen ports published, every connection it might open refused.
#[derive(Debug, Parser)]
#[command(name = "jail", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  jail net create dmz --subnet=10.10.20.0/24 --bridge=br0
  jail run --name=web --net=dmz --publish=80 \"rsyslogd; nginx; sleep inf\"
  jail list          jail join web          jail stop web

Options of a command: jail COMMAND --help")]
pub(crate) struct Args {
    /// Backends, at most one for links (bridge, macvlan) and one for the firewall (nft, iptables)
    #[arg(long, value_name = "NAME[,NAME]", value_delimiter = ',', global = true)]
    pub(crate) backend: Vec<String>,
    /// Look for backends in DIR first (may be repeated)
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) plugin_dir: Vec<PathBuf>,
    /// Keep the jails' state in DIR instead of /run/jail
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) state_dir: Option<PathBuf>,
    /// Data and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a jail
    Run(Box<Run>),
    /// Print what `run` with the same options would do; touches nothing
    Plan(Box<Run>),
    /// Running jails: PID:USER:NAME:COMMAND
    List,
    /// Running jails with every process below them
    Tree {
        /// One jail only: its name, id, or the pid of any process in it
        jail: Option<String>,
    },
    /// One jail's whole plan and state, as JSON
    Inspect {
        /// Its name, id, or the pid of any process in it
        jail: String,
    },
    /// A shell (or COMMAND) inside a jail, with the jail's own restrictions
    Join {
        /// Its name, id, or the pid of any process in it
        jail: String,
        /// What to run instead of a shell
        #[arg(trailing_var_arg = true)]
        command: Vec<String>,
    },
    /// End jails: SIGTERM, then SIGKILL; returns when nothing of them is left
    Stop {
        /// Names, ids, or pids of any process in them
        #[arg(required = true)]
        jails: Vec<String>,
        /// Seconds between SIGTERM and SIGKILL
        #[arg(long, default_value_t = 10, value_name = "SECONDS")]
        timeout: u64,
    },
    /// Named networks
    #[command(subcommand)]
    Net(Net),
    /// Remove what dead jails left
    Gc,
    /// The backends found, and whether they can work here
    Backends,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Net {
    /// Keep a network and make its bridge, or adopt a bridge that is there
    Create {
        /// Its name
        name: String,
        /// Its subnet; the host takes the first address
        #[arg(long, value_name = "CIDR")]
        subnet: Ipv4Net,
        /// The bridge [default: jail-NAME]
        #[arg(long, value_name = "BRIDGE")]
        bridge: Option<String>,
    },
    /// The named networks
    List,
    /// Remove a network, and the bridge that was made for it
    Rm {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Options)]
pub(crate) struct Run {
    /// Its name, also its host name [default: the first program's base name]
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    pub(crate) name: Option<String>,
    /// Go to the background: print the name and return once the command runs
    #[arg(short, long, help_heading = "Identity")]
    pub(crate) detach: bool,

    /// Empty /root, /home and /tmp (the default)
    #[arg(long, help_heading = "Files")]
    pub(crate) private: bool,
    /// Show P of the host as its owners see it, read-only unless :rw
    #[arg(long, value_name = "P[:ro|rw]", help_heading = "Files")]
    pub(crate) grant: Vec<String>,
    /// The same elsewhere: SRC of the host at DST, read-only unless :rw
    #[arg(long, value_name = "SRC[,DST][:ro|rw]", help_heading = "Files")]
    pub(crate) bind: Vec<String>,
    /// The same as --grant=P:rw
    #[arg(long, value_name = "P", help_heading = "Files")]
    pub(crate) read_write: Vec<PathBuf>,
    /// Take writing away below P
    #[arg(long, value_name = "P", help_heading = "Files")]
    pub(crate) read_only: Vec<PathBuf>,
    /// A fresh, empty directory on D
    #[arg(long, value_name = "D[:size=SIZE]", help_heading = "Files")]
    pub(crate) tmpfs: Vec<String>,
    /// Hide P
    #[arg(long, value_name = "P", help_heading = "Files")]
    pub(crate) blacklist: Vec<PathBuf>,

    /// Filter system calls (the default); a list refuses more, !a permits, none switches the filter off
    #[arg(long, value_name = "a,@group,!b|none", num_args = 0..=1, require_equals = true, default_missing_value = "", action = ArgAction::Append, help_heading = "Filter")]
    pub(crate) seccomp: Vec<String>,

    #[command(flatten)]
    pub(crate) net: NetOptions,
    /// Do not ask on the LAN whether somebody uses an address already
    #[arg(long, help_heading = "Network")]
    pub(crate) no_probe: bool,
    /// Its name servers (may be repeated) [default: the host's]
    #[arg(long, value_name = "A", help_heading = "Network")]
    pub(crate) dns: Vec<IpAddr>,
    /// Publish a port through the host (may be repeated)
    #[arg(
        short,
        long,
        value_name = "[HOSTADDR:]PORT[-PORT][:PORT[-PORT]][/tcp|udp]",
        help_heading = "Network"
    )]
    pub(crate) publish: Vec<Publish>,
    /// Connections it may open itself
    #[arg(long, value_name = "deny|allow", default_value_t = Egress::Deny, help_heading = "Network")]
    pub(crate) egress: Egress,

    /// The command: one argument with spaces or shell signs is run by /bin/sh -c, otherwise it is an argv
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
