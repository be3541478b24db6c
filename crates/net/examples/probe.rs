//! Loads a plugin and asks what it is and whether it can work here:
//!
//! ```text
//! cargo run -p jail-net --example probe target/debug/libjail_nft.so
//! ```
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jail_net::backend::{Backend, Failure, Support};
use jail_net::plugin;

fn main() -> io::Result<ExitCode> {
    let Some(path) = std::env::args_os().nth(1).map(PathBuf::from) else {
        writeln!(io::stderr(), "which plugin? probe FILE")?;
        return Ok(ExitCode::FAILURE);
    };
    match probe(&path) {
        Ok(line) => writeln!(io::stdout(), "{line}").map(|()| ExitCode::SUCCESS),
        Err(failure) => writeln!(io::stderr(), "{failure}").map(|()| ExitCode::FAILURE),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn probe(path: &Path) -> Result<String, Failure> {
    let backend = plugin::load(path)?;
    let what = backend.describe();
    let here = match backend.probe().await? {
        Support::Yes => "works here".to_owned(),
        Support::No { reason, hint } => format!("does not work here: {reason}; {hint}"),
    };
    Ok(format!("{} {} ({:?}): {}; {here}", what.name, what.version, what.role, what.summary))
}
