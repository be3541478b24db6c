//! Who the jail is.

use std::path::PathBuf;

use clap::Args;
use jail_core::spec::{Timeout, Userns};

#[derive(Debug, Args)]
#[command(next_help_heading = "Identity")]
pub(crate) struct Identity {
    /// Its name [default: the first program's]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Its host name, if that is not its name
    #[arg(long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,
    /// Run the command as USER, not as root
    #[arg(long, value_name = "USER[:GROUP]")]
    pub(crate) user: Option<String>,
    /// Set a variable of its environment
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// Take a variable out of its environment
    #[arg(long, value_name = "NAME")]
    pub(crate) rmenv: Vec<String>,
    /// Where it starts, inside [default: /]
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
    /// End the jail when this time is up
    #[arg(long, value_name = "hh:mm:ss")]
    pub(crate) timeout: Option<Timeout>,
    /// Go to the background once it runs
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Leave these descriptors open for the command; all others above 2 are closed
    #[arg(long, value_name = "N[,N...]", value_delimiter = ',')]
    pub(crate) keep_fd: Vec<String>,
    /// Whose ids it has: its own, or the host's
    #[arg(long, value_name = "auto|identity|host", default_value_t, hide_default_value = true)]
    pub(crate) userns: Userns,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("there is no '=' between a name and a value")?;
    Ok((name.to_owned(), value.to_owned()))
}
