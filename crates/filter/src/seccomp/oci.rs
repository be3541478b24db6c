//! The JSON form of a seccomp profile, as data: the `linux.seccomp` of the OCI runtime specification, and what Docker and
//! Podman have beside it. What it means is `profile`'s.

use serde::{Deserialize, Deserializer, Serialize};

/// A profile as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Form {
    pub(crate) default_action: Action,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default_errno_ret: Option<u32>,
    /// Podman's: the same by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default_errno: Option<String>,
    #[serde(default, deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(crate) architectures: Vec<String>,
    #[serde(default, deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(crate) arch_map: Vec<ArchMap>,
    #[serde(default, deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(crate) flags: Vec<Flag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) listener_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) listener_metadata: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) syscalls: Vec<Rule>,
}

/// Docker's: architectures by the one that the machine has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ArchMap {
    pub(crate) architecture: String,
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) sub_architectures: Vec<String>,
}

/// What a profile says of some calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Rule {
    #[serde(default, deserialize_with = "or_none")]
    pub(crate) names: Vec<String>,
    /// Docker's older way to say one name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) action: Action,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) errno_ret: Option<u32>,
    /// Podman's: the same by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) errno: Option<String>,
    #[serde(default, deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(crate) args: Vec<Arg>,
    #[serde(default, skip_serializing)]
    pub(crate) comment: Option<String>,
    #[serde(default, deserialize_with = "or_none", skip_serializing_if = "Conditions::is_empty")]
    pub(crate) includes: Conditions,
    #[serde(default, deserialize_with = "or_none", skip_serializing_if = "Conditions::is_empty")]
    pub(crate) excludes: Conditions,
}

/// What an argument is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Arg {
    pub(crate) index: u32,
    pub(crate) value: u64,
    #[serde(default)]
    pub(crate) value_two: u64,
    pub(crate) op: Operator,
}

/// Where a rule counts, or does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Conditions {
    #[serde(default, deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(crate) caps: Vec<String>,
    #[serde(default, deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(crate) arches: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_kernel: Option<String>,
}

impl Conditions {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Conditions::default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    #[serde(rename = "SCMP_ACT_ALLOW")]
    Allow,
    #[serde(rename = "SCMP_ACT_ERRNO")]
    Errno,
    /// An older name of the next.
    #[serde(rename = "SCMP_ACT_KILL")]
    Kill,
    #[serde(rename = "SCMP_ACT_KILL_THREAD")]
    KillThread,
    #[serde(rename = "SCMP_ACT_KILL_PROCESS")]
    KillProcess,
    #[serde(rename = "SCMP_ACT_TRAP")]
    Trap,
    #[serde(rename = "SCMP_ACT_LOG")]
    Log,
    #[serde(rename = "SCMP_ACT_NOTIFY")]
    Notify,
    #[serde(rename = "SCMP_ACT_TRACE")]
    Trace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Operator {
    #[serde(rename = "SCMP_CMP_NE")]
    Ne,
    #[serde(rename = "SCMP_CMP_LT")]
    Lt,
    #[serde(rename = "SCMP_CMP_LE")]
    Le,
    #[serde(rename = "SCMP_CMP_EQ")]
    Eq,
    #[serde(rename = "SCMP_CMP_GE")]
    Ge,
    #[serde(rename = "SCMP_CMP_GT")]
    Gt,
    /// The argument's bits of `value` are `valueTwo`.
    #[serde(rename = "SCMP_CMP_MASKED_EQ")]
    MaskedEq,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Flag {
    #[serde(rename = "SECCOMP_FILTER_FLAG_TSYNC")]
    Tsync,
    #[serde(rename = "SECCOMP_FILTER_FLAG_LOG")]
    Log,
    #[serde(rename = "SECCOMP_FILTER_FLAG_SPEC_ALLOW")]
    SpecAllow,
    #[serde(rename = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")]
    WaitKillableRecv,
}

/// Go writes `null` for a list or an object that has nothing.
fn or_none<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}
