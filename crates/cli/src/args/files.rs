//! What the jail sees of the host's files.

use std::path::PathBuf;

use clap::{ArgAction, Args};

#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct Files {
    /// Empty /root, /home and /tmp (the default); with =DIR the command's home is DIR of the host
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        action = ArgAction::Append
    )]
    pub(crate) private: Vec<PathBuf>,
    /// Show P of the host as its owners see it, read-only unless :rw
    #[arg(long, value_name = "P[:ro|rw]")]
    pub(crate) grant: Vec<String>,
    /// The same elsewhere: SRC of the host at DST, read-only unless :rw
    #[arg(long, value_name = "SRC[,DST][:ro|rw]")]
    pub(crate) bind: Vec<String>,
    /// The same as --grant=P:rw
    #[arg(long, value_name = "P")]
    pub(crate) read_write: Vec<PathBuf>,
    /// Take writing away below P
    #[arg(long, value_name = "P")]
    pub(crate) read_only: Vec<PathBuf>,
    /// Nothing below P can be executed
    #[arg(long, value_name = "P")]
    pub(crate) noexec: Vec<PathBuf>,
    /// A directory /run/NAME that is the command's user's
    #[arg(long, value_name = "NAME")]
    pub(crate) runtime_dir: Vec<String>,
    /// A fresh, empty directory on D
    #[arg(long, value_name = "D[:size=SIZE]")]
    pub(crate) tmpfs: Vec<String>,
    /// Hide P
    #[arg(long, value_name = "P")]
    pub(crate) blacklist: Vec<PathBuf>,
    /// Of the top-level directory that holds P show only P
    #[arg(long, value_name = "P")]
    pub(crate) whitelist: Vec<PathBuf>,
    /// Show the system in DIR instead of the host's
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// The host's own /var, all of it and writable
    #[arg(long)]
    pub(crate) writable_var: bool,
    /// The host's own /etc, all of it and writable: the jail can take over the host
    #[arg(long)]
    pub(crate) writable_etc: bool,
}
