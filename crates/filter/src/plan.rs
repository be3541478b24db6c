//! From what was asked for to what will be done: `FilterSpec` -> `FilterPlan` -> steps.

use jail_sys::Failure;
use jail_sys::op::{Op, Step};
use serde::{Deserialize, Serialize};

use crate::caps::Caps;
use crate::rlimits::Rlimit;
use crate::seccomp::{self, Change, Changes, Filter, Protocol, SeccompSpec};

const STAGE: &str = "filter";

/// What the jail may ask the kernel, as it was asked for. The default is what a server needs and no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilterSpec {
    /// The filter on system calls.
    pub seccomp: SeccompSpec,
    /// Capabilities to keep, over the jail's own user namespace.
    pub caps: Caps,
    /// Socket families; they are part of the filter on system calls.
    pub protocols: Vec<Protocol>,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
}

impl Default for FilterSpec {
    fn default() -> Self {
        FilterSpec {
            seccomp: SeccompSpec::default(),
            caps: Caps::default(),
            protocols: Protocol::DEFAULT.to_vec(),
            rlimits: vec![Rlimit::NO_CORE],
        }
    }
}

/// What the jail may ask the kernel, decided. [`FilterPlan::steps`] of a plan that was stored and read again are the
/// same, which is what makes joining a jail no way around its filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterPlan {
    /// The filter on system calls; `None` when it was switched off.
    pub seccomp: Option<SeccompPlan>,
    /// Capabilities that are kept.
    pub caps: Caps,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
}

/// The filter on system calls, decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeccompPlan {
    /// What the user changed of the default.
    pub changes: Changes,
    /// Socket families.
    pub protocols: Vec<Protocol>,
    /// How many system calls are allowed.
    pub allowed: usize,
    /// How many of these only with certain arguments.
    pub checked: usize,
    /// The compiled filter.
    pub filter: Filter,
}

/// Decides everything; changes nothing.
///
/// # Errors
/// [`jail_sys::Kind::Usage`] for names that do not exist and lists that contradict themselves; `Unsupported` or
/// `Denied` for a capability that cannot be kept.
pub fn plan(spec: &FilterSpec) -> Result<FilterPlan, Failure> {
    spec.caps.check()?;
    let seccomp = match &spec.seccomp {
        SeccompSpec::Off => None,
        SeccompSpec::On(changes) => {
            changes.check()?;
            let built = seccomp::build(changes, &spec.protocols)?;
            Some(SeccompPlan {
                changes: changes.clone(),
                protocols: spec.protocols.clone(),
                allowed: built.allowed,
                checked: built.checked,
                filter: built.filter,
            })
        }
    };
    Ok(FilterPlan { seccomp, caps: spec.caps, rlimits: spec.rlimits.clone() })
}

/// Everything a file with a set-id mode can be made with: those whose mode is checked, and those whose mode the
/// filter cannot see.
const MAKES_SET_ID: [&str; 13] = [
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "open",
    "openat",
    "creat",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "openat2",
    "io_uring_setup",
];

impl FilterPlan {
    /// Whether the jail cannot make files with `S_ISUID` or `S_ISGID`. Where it can, root of the host must not be
    /// mapped in a writable grant.
    pub fn refuses_set_id(&self) -> bool {
        self.seccomp.as_ref().is_some_and(|seccomp| {
            MAKES_SET_ID.iter().all(|call| seccomp.changes.of(call) != Some(Change::Permit))
        })
    }

    /// The plan in words, a line for each fact.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.seccomp {
            Some(seccomp) => seccomp.lines(&mut lines),
            None => lines.push("system calls: not filtered (--seccomp=none)".to_owned()),
        }
        lines.push(match self.refuses_set_id() {
            true => "set-user-id and set-group-id modes: refused".to_owned(),
            false => "set-user-id and set-group-id modes: possible".to_owned(),
        });
        lines.push(format!("capabilities kept: {}", self.caps));
        lines.push("no_new_privs: on".to_owned());
        for limit in &self.rlimits {
            lines.push(format!("limit {}: {} (at most {})", limit.resource.name(), limit.soft, limit.hard));
        }
        lines
    }

    /// The steps, in the only order that works: the filter last, for it refuses what the others need, and
    /// no_new_privs before it, which an unprivileged filter needs. Only an exec may follow.
    ///
    /// # Errors
    /// Capabilities that [`plan`] would not have kept: a stored plan may have been edited.
    pub fn steps(&self) -> Result<Vec<Step>, Failure> {
        self.caps.check()?;
        let mut steps = Vec::new();
        for limit in &self.rlimits {
            let op = Op::Rlimit { resource: limit.resource.number(), soft: limit.soft, hard: limit.hard };
            steps.push(
                Step::new(STAGE, format!("--rlimit-{}={}", limit.resource.name(), limit.soft), op)
                    .hint("the limit may be above the one jail itself was started with"),
            );
        }
        let caps = self.caps.bits();
        steps.push(Step::new(STAGE, "capabilities", Op::KeepCaps(caps)));
        steps.push(Step::new(STAGE, "capabilities", Op::SetCaps(caps)));
        steps.push(Step::new(STAGE, "no_new_privs", Op::NoNewPrivs));
        if let Some(seccomp) = &self.seccomp {
            let op = Op::Seccomp { filter: seccomp.filter.instructions().to_vec(), flags: 0 };
            steps.push(
                Step::new(STAGE, "--seccomp", op)
                    .hint("this kernel may be built without seccomp filters (CONFIG_SECCOMP_FILTER)"),
            );
        }
        Ok(steps)
    }
}

impl SeccompPlan {
    fn lines(&self, lines: &mut Vec<String>) {
        lines.push(format!(
            "system calls: {} allowed, {} of them by their arguments; others EPERM, unknown ones ENOSYS, foreign ABIs killed",
            self.allowed, self.checked
        ));
        for (what, names) in
            [("refused as well", &self.changes.refuse), ("permitted as well", &self.changes.permit)]
        {
            if !names.is_empty() {
                lines.push(format!("system calls {what}: {}", names.join(", ")));
            }
        }
        let families: Vec<_> = self.protocols.iter().map(|protocol| protocol.name()).collect();
        lines.push(format!("socket families: {} (of netlink: route)", families.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(option: &str) -> FilterPlan {
        let spec = FilterSpec { seccomp: option.parse().unwrap(), ..FilterSpec::default() };
        plan(&spec).unwrap()
    }

    #[test]
    fn the_filter_is_the_last_step_and_no_new_privs_comes_before_it() {
        let steps = plan(&FilterSpec::default()).unwrap().steps().unwrap();
        let names: Vec<_> = steps.iter().map(|step| step.op.name()).collect();
        let expected =
            ["setrlimit", "prctl PR_CAPBSET_DROP", "capset", "prctl PR_SET_NO_NEW_PRIVS", "seccomp"];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_stored_plan_gives_the_same_steps() {
        let plan = with("@timer,!unshare");
        let text = serde_json::to_string(&plan).unwrap();
        let again: FilterPlan = serde_json::from_str(&text).unwrap();
        assert_eq!(again, plan);
        assert_eq!(format!("{:?}", again.steps().unwrap()), format!("{:?}", plan.steps().unwrap()));
    }

    #[test]
    fn an_empty_spec_is_the_default() {
        assert_eq!(serde_json::from_str::<FilterSpec>("{}").unwrap(), FilterSpec::default());
    }

    #[test]
    fn what_lets_set_id_modes_through_is_told() {
        assert!(plan(&FilterSpec::default()).unwrap().refuses_set_id());
        for option in ["none", "!openat2", "!chmod", "!@file-system", "!io_uring_setup"] {
            assert!(!with(option).refuses_set_id(), "{option}");
        }
        assert!(with("!unshare,chmod").refuses_set_id());
    }

    #[test]
    fn a_plan_reads_as_facts() {
        let lines = with("@timer,!unshare").lines();
        assert_eq!(lines[1], "system calls refused as well: @timer");
        assert_eq!(lines[2], "system calls permitted as well: unshare");
        assert_eq!(lines[3], "socket families: unix, inet, inet6, netlink (of netlink: route)");
        assert_eq!(lines[5], "capabilities kept: chown, dac_override, fowner, kill, setgid, setuid");
    }
}
