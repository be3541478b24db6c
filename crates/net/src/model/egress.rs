//! `Egress`: the connections a jail may open itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The connections a jail may open itself, beyond its neighbours on its own bridge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Egress {
    /// None: every one is refused at once.
    #[default]
    Deny,
    /// The LAN and the Internet, through the host's address; of the host itself only the ports that jails publish, and
    /// nothing of other bridges of ours.
    Allow,
}

impl FromStr for Egress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "deny" => Ok(Egress::Deny),
            "allow" => Ok(Egress::Allow),
            other => Err(format!("'{other}' is not an egress policy: deny or allow")),
        }
    }
}

impl fmt::Display for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Egress::Deny => "deny",
            Egress::Allow => "allow",
        })
    }
}
