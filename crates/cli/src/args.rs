//! What can be typed: commands and their options, as `jail --help` shows them.

mod files;
mod filter;
mod identity;
mod net;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Args as Options, Parser, Subcommand};
use ipnet::Ipv4Net;
use jail_core::network::{Egress, Publish};

pub(crate) use self::net::{NetOption, NetOptions};

pub(crate) use files::Files;
pub(crate) use filter::Filter;
pub(crate) use identity::Identity;

/// What an option has for a value that may go without one and does: nobody can type it.
pub(crate) const BARE: &str = "\0";

/// Runs a network service in a jail: its own processes, a read-only view of the host's files, filtered system calls,
/// an address in a DMZ, chosen ports published.
#[derive(Debug, Parser)]
#[command(name = "jail", version, max_term_width = 80, disable_help_subcommand = true)]
#[command(help_template = "{about}\n\nUsage: jail [OPTIONS] COMMAND ...\n\n{subcommands}{after-help}")]
#[command(after_help = "\
Options: --backend=NAME[,NAME]  --plugin-dir=DIR  --state-dir=DIR  --json
         -q|--quiet  -v|--debug  -V|--version  -h|--help  (jail COMMAND --help)

Examples:
  jail net create dmz --subnet=10.10.20.0/24 --bridge=br0
  jail run --name=web --net=dmz --publish=80 \"rsyslogd; nginx; sleep inf\"
  jail list          jail join web          jail stop web")]
pub(crate) struct Args {
    /// Backends: one for links, one for the firewall
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
    /// Tell each step of a start as it is done
    #[arg(short = 'v', long, global = true, conflicts_with = "quiet")]
    pub(crate) debug: bool,
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
    /// A shell (or COMMAND) inside, with the jail's own restrictions
    Join {
        /// Its name, id, or the pid of any process in it
        jail: String,
        /// What to run instead of a shell
        #[arg(trailing_var_arg = true)]
        command: Vec<String>,
    },
    /// End jails: SIGTERM, then SIGKILL
    Stop {
        /// Names, ids, or pids of any process in them
        #[arg(required = true, value_name = "JAIL")]
        jails: Vec<String>,
        /// Seconds between SIGTERM and SIGKILL
        #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = seconds)]
        timeout: u64,
    },
    /// Named networks
    #[command(subcommand)]
    Net(Net),
    /// What this host lacks or what gets in the way, each with its remedy
    Doctor,
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
        #[arg(long, value_name = "CIDR", value_parser = subnet)]
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
#[command(after_help = "\
Examples:
  jail run -d --name=web --net=dmz -p 80 \"rsyslogd; nginx; sleep inf\"
  jail run --net=dmz -p 127.0.0.1:5300:53/udp -p 6000-6010 -- dnsmasq -k
  jail run --net=dmz --ip=10.10.20.11 --net=eth1 --mtu=1400 -- myservice")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) identity: Identity,
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) filter: Filter,

    #[command(flatten)]
    pub(crate) net: NetOptions,
    /// Ask nobody whether they have --ip
    #[arg(long, help_heading = "Network")]
    pub(crate) no_probe: bool,
    /// A name server [default: the host's]
    #[arg(long, value_name = "A", value_parser = name_server, help_heading = "Network")]
    pub(crate) dns: Vec<IpAddr>,
    /// Publish a port, or a range: 6000-6010
    #[arg(short, long, value_name = "[A:]PORT[:PORT][/udp]", help_heading = "Network")]
    pub(crate) publish: Vec<Publish>,
    /// Its own connections [default: deny]
    #[arg(long, value_name = "deny|allow", help_heading = "Network")]
    pub(crate) egress: Option<Egress>,

    /// One argument with spaces or shell signs is for /bin/sh -c, otherwise it is an argv
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND", help_heading = "Command")]
    pub(crate) command: Vec<String>,
}

fn name_server(text: &str) -> Result<IpAddr, String> {
    let address: Option<IpAddr> = text.parse().ok();
    let address = address.filter(|address| !address.is_unspecified() && !address.is_multicast());
    address.ok_or_else(|| format!("'{text}' is not a machine's IP address"))
}

fn subnet(text: &str) -> Result<Ipv4Net, String> {
    text.parse().map_err(|_| match text.parse::<Ipv4Addr>() {
        Ok(address) => format!("'{text}' has no length behind it, like {address}/24"),
        Err(_) => format!("'{text}' is not an IPv4 subnet, like 10.10.20.0/24"),
    })
}

fn seconds(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("'{text}' is not a number of seconds"))
}
