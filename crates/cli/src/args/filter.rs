//! What the jail may ask the kernel.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use jail_core::spec::{ErrorAction, Resource, Rlimit};

#[derive(Debug, Args)]
#[command(next_help_heading = "Filter")]
pub(crate) struct Filter {
    /// Filter system calls (the default); a list refuses more, !a permits, none switches the filter off
    #[arg(
        long,
        value_name = "a,@group,!b|none",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        action = ArgAction::Append
    )]
    pub(crate) seccomp: Vec<String>,
    /// Refuse these system calls instead of the default's
    #[arg(long = "seccomp.drop", value_name = "a,@group")]
    pub(crate) seccomp_drop: Vec<String>,
    /// Let through these system calls and no others
    #[arg(long = "seccomp.keep", value_name = "a,@group")]
    pub(crate) seccomp_keep: Vec<String>,
    /// What a refused call does: fail, end the process, or run and be logged
    #[arg(long, value_name = "EPERM|kill|log")]
    pub(crate) seccomp_error_action: Option<ErrorAction>,
    /// Keep these capabilities and no others
    #[arg(long = "caps.keep", value_name = "CAP,CAP")]
    pub(crate) caps_keep: Vec<String>,
    /// Keep these capabilities neither
    #[arg(long = "caps.drop", value_name = "CAP,CAP|all")]
    pub(crate) caps_drop: Vec<String>,
    /// Socket families it may use, of netlink only route [default: unix,inet,inet6,netlink]
    #[arg(long, value_name = "FAMILY,FAMILY")]
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
        let names: Vec<_> = Resource::all().map(Resource::name).collect();
        let help = format!("Limit a resource, NAME being {}", names.join(", "));
        let none = names.join(", ");
        let example = Arg::new("rlimit-NAME").long("rlimit-NAME").value_name("SOFT[:HARD]").help(help);
        let refused = move |_: &str| Err::<String, _>(format!("NAME stands for one of {none}"));
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
