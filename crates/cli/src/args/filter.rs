//! What the jail may ask the kernel.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use jail_core::spec::{ErrorAction, Resource, Rlimit};

use super::BARE;

#[derive(Debug, Args)]
#[command(next_help_heading = "Filter")]
pub(crate) struct Filter {
    /// a,@group,165:ERRNO refuses more; !a less
    #[arg(
        long,
        value_name = "LIST|none",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = BARE,
        action = ArgAction::Append
    )]
    pub(crate) seccomp: Vec<String>,
    /// Refuse only these system calls
    #[arg(long = "seccomp.drop", value_name = "LIST")]
    pub(crate) seccomp_drop: Vec<String>,
    /// Permit only these system calls
    #[arg(long = "seccomp.keep", value_name = "LIST")]
    pub(crate) seccomp_keep: Vec<String>,
    /// A container engine's profile, in JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) seccomp_profile: Option<PathBuf>,
    /// Refused calls: an errno, kill, or log
    #[arg(long, value_name = "ACTION")]
    pub(crate) seccomp_error_action: Option<ErrorAction>,
    /// Keep only these [default: see jail plan]
    #[arg(long = "caps.keep", value_name = "LIST")]
    pub(crate) caps_keep: Vec<String>,
    /// Give up these capabilities
    #[arg(long = "caps.drop", value_name = "LIST|all")]
    pub(crate) caps_drop: Vec<String>,
    /// Of unix,inet,inet6,netlink only these
    #[arg(long, value_name = "LIST")]
    pub(crate) protocol: Vec<String>,
    #[command(flatten)]
    pub(crate) rlimits: Rlimits,
}

/// `--rlimit-NAME`, an option for each resource, of which the help shows one.
#[derive(Debug)]
pub(crate) struct Rlimits(pub(crate) Vec<Rlimit>);

fn option(resource: Resource) -> String {
    format!("rlimit-{}", resource.name())
}

impl Args for Rlimits {
    fn augment_args(command: Command) -> Command {
        let names = Resource::all().map(Resource::name).collect::<Vec<_>>().join(", ");
        let refused = move |_: &str| Err::<String, _>(format!("NAME stands for one of {names}"));
        let help = "Limit NAME, as prlimit(1) calls it";
        let example = Arg::new("rlimit-NAME").long("rlimit-NAME").value_name("SOFT[:HARD]").help(help);
        let options = Resource::all().map(|resource| {
            let read = move |text: &str| Rlimit::read(resource, text);
            Arg::new(option(resource))
                .long(option(resource))
                .value_name("SOFT[:HARD]")
                .value_parser(read)
                .hide(true)
        });
        command.arg(example.value_parser(refused)).args(options)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Rlimits::augment_args(command)
    }
}

impl FromArgMatches for Rlimits {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = Resource::all().filter_map(|resource| matches.get_one::<Rlimit>(&option(resource)));
        Ok(Rlimits(given.copied().collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Rlimits::from_arg_matches(matches)?;
        Ok(())
    }
}
