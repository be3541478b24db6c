//! `jail net`: named networks.

use std::process::ExitCode;

use jail_core::Failure;
use jail_core::network::{self, Network};
use serde_json::{Value, json};

use super::{Call, block_on, need_root};
use crate::args::Net;
use crate::output;

pub(super) fn net(call: &Call, net: Net) -> Result<ExitCode, Failure> {
    match net {
        Net::Create { name, subnet, bridge } => {
            need_root()?;
            let network = block_on(network::create(&call.place, &name, subnet, bridge.as_deref()))?;
            if call.json {
                return output::json(&describe(&network));
            }
            if !call.quiet {
                output::say(&line(&network));
            }
            Ok(ExitCode::SUCCESS)
        }
        Net::List => {
            need_root()?;
            let networks = network::list(&call.place)?;
            for failure in network::unreadable(&call.place)? {
                output::say_why(&failure);
            }
            if call.json {
                output::json(&networks.iter().map(describe).collect::<Vec<_>>())
            } else {
                output::lines(networks.iter().map(line))
            }
        }
        Net::Rm { name } => {
            need_root()?;
            block_on(network::remove(&call.place, &name))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn line(network: &Network) -> String {
    let subnet = network.subnet.map_or_else(|| "no subnet".to_owned(), |subnet| subnet.trunc().to_string());
    let host = network.subnet.map_or_else(String::new, |subnet| format!(", the host is {}", subnet.addr()));
    let whose = if network.is_ours() { "" } else { " (adopted)" };
    format!("{}: {subnet} on {}{whose}{host}", network.name, network.interface())
}

fn describe(network: &Network) -> Value {
    json!({
        "name": network.name,
        "bridge": network.bridge(),
        "origin": if network.is_ours() { "ours" } else { "adopted" },
        "subnet": network.subnet.map(|subnet| subnet.trunc()),
        "address": network.subnet.map(|subnet| subnet.addr()),
    })
}
