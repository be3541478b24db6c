//! What the jail sees of the host's files.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::BARE;

#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct Files {
    /// Empty homes and /tmp (default), or DIR as home
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = BARE,
        action = ArgAction::Append
    )]
    pub(crate) private: Vec<OsString>,
    /// Show P as its owners see it, :rw to write
    #[arg(long, value_name = "P[:ro|rw]")]
    pub(crate) grant: Vec<String>,
    /// The same elsewhere: the host's SRC at DST
    #[arg(long, value_name = "SRC[,DST][:ro|rw]")]
    pub(crate) bind: Vec<String>,
    /// The same as --grant=P:rw
    #[arg(long, value_name = "P")]
    pub(crate) read_write: Vec<PathBuf>,
    /// Take writing away below P
    #[arg(long, value_name = "P")]
    pub(crate) read_only: Vec<PathBuf>,
    /// Let nothing below P be executed
    #[arg(long, value_name = "P")]
    pub(crate) noexec: Vec<PathBuf>,
    /// Make /run/NAME, the command's user's own
    #[arg(long, value_name = "NAME")]
    pub(crate) runtime_dir: Vec<String>,
    /// A fresh, empty directory on D
    #[arg(long, value_name = "D[:size=SIZE]")]
    pub(crate) tmpfs: Vec<String>,
    /// Hide P
    #[arg(long, value_name = "P")]
    pub(crate) blacklist: Vec<PathBuf>,
    /// Hide all but P of its top-level directory
    #[arg(long, value_name = "P")]
    pub(crate) whitelist: Vec<PathBuf>,
    /// Show the system in DIR, not the host's
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// The host's own /var, writable
    #[arg(long)]
    pub(crate) writable_var: bool,
    /// The host's own /etc, writable: dangerous
    #[arg(long)]
    pub(crate) writable_etc: bool,
}
