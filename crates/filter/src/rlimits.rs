//! Resource limits. See getrlimit(2).

use jail_sys::{Failure, Kind, short};
use serde::{Deserialize, Serialize};

/// A resource that can be limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Resource(usize);

/// Name and `RLIMIT_*` number of each, and whether it is counted in bytes.
const TABLE: [(&str, u32, bool); 16] = [
    ("as", libc::RLIMIT_AS, true),
    ("core", libc::RLIMIT_CORE, true),
    ("cpu", libc::RLIMIT_CPU, false),
    ("data", libc::RLIMIT_DATA, true),
    ("fsize", libc::RLIMIT_FSIZE, true),
    ("locks", libc::RLIMIT_LOCKS, false),
    ("memlock", libc::RLIMIT_MEMLOCK, true),
    ("msgqueue", libc::RLIMIT_MSGQUEUE, true),
    ("nice", libc::RLIMIT_NICE, false),
    ("nofile", libc::RLIMIT_NOFILE, false),
    ("nproc", libc::RLIMIT_NPROC, false),
    ("rss", libc::RLIMIT_RSS, true),
    ("rtprio", libc::RLIMIT_RTPRIO, false),
    ("rttime", libc::RLIMIT_RTTIME, false),
    ("sigpending", libc::RLIMIT_SIGPENDING, false),
    ("stack", libc::RLIMIT_STACK, true),
];

const CORE: Resource = Resource(1);

/// A limit and its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rlimit {
    /// What is limited.
    pub resource: Resource,
    /// What the kernel enforces; the largest number is no limit.
    pub soft: u64,
    /// What the jail may raise `soft` to.
    pub hard: u64,
}

impl Rlimit {
    /// No core dumps. 1 rather than 0: where the host's `core_pattern` is a pipe, 0 still starts the program behind
    /// it, as root on the host and fed by the jail; 1 is the value that keeps the kernel from it. See core(5).
    pub const NO_CORE: Rlimit = Rlimit { resource: CORE, soft: 1, hard: 1 };

    /// Reads what follows `--rlimit-NAME=`: `SOFT` for both, or `SOFT:HARD`; a number, of bytes with k, m or g behind
    /// it, or `unlimited`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(resource: Resource, text: &str) -> Result<Self, String> {
        let (soft, hard) = text.split_once(':').unwrap_or((text, text));
        let limit = Rlimit { resource, soft: resource.number_of(soft)?, hard: resource.number_of(hard)? };
        match limit.soft <= limit.hard {
            true => Ok(limit),
            false => Err(format!("the limit {} is above its ceiling {}", short(soft), short(hard))),
        }
    }

    /// The limits of a jail for which these were asked: those, and no core dumps unless they are among them.
    ///
    /// # Errors
    /// [`Kind::Denied`] for core dumps that a program of the host's would take in.
    pub(crate) fn all(asked: &[Rlimit]) -> Result<Vec<Rlimit>, Failure> {
        let Some(core) = asked.iter().rfind(|limit| limit.resource == CORE) else {
            return Ok(asked.iter().copied().chain([Rlimit::NO_CORE]).collect());
        };
        // A host that does not say gets no benefit of the doubt.
        let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern");
        if *core != Rlimit::NO_CORE && pattern.map_or(true, |pattern| pattern.starts_with('|')) {
            let option = format!("--rlimit-core={}", core.soft);
            let message =
                format!("{option}: core dumps of this host start a program, as root and outside the jail");
            return Err(Failure::new(Kind::Denied, "filter", "rlimit", option, message)
                .hint("leave it out, or give /proc/sys/kernel/core_pattern a file name"));
        }
        Ok(asked.to_vec())
    }

    /// The limit as the option takes it.
    pub(crate) fn shown(&self) -> String {
        let shown = |number: u64| match number {
            u64::MAX => "unlimited".to_owned(),
            number => number.to_string(),
        };
        match self.soft == self.hard {
            true => shown(self.soft),
            false => format!("{}:{}", shown(self.soft), shown(self.hard)),
        }
    }
}

impl Resource {
    /// Every one.
    pub fn all() -> impl Iterator<Item = Resource> {
        (0..TABLE.len()).map(Resource)
    }

    /// The name in options and plans.
    pub fn name(self) -> &'static str {
        TABLE[self.0].0
    }

    /// The `RLIMIT_*` number.
    pub(crate) fn number(self) -> u32 {
        TABLE[self.0].1
    }

    fn number_of(self, text: &str) -> Result<u64, String> {
        if text == "unlimited" {
            return Ok(u64::MAX);
        }
        let digits = text.trim_end_matches(['k', 'm', 'g']);
        let (bytes, unit) = (TABLE[self.0].2, &text[digits.len()..]);
        let unit = match unit {
            "" => Some(1),
            "k" if bytes => Some(1u64 << 10),
            "m" if bytes => Some(1 << 20),
            "g" if bytes => Some(1 << 30),
            _ => None,
        };
        let number = digits.parse::<u64>().ok().filter(|_| !digits.starts_with('+'));
        let value = number.zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
        let units = if bytes { ", with k, m or g behind it" } else { "" };
        value.ok_or_else(|| format!("'{}' is not a number{units}, nor unlimited", short(text)))
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> String {
        resource.name().to_owned()
    }
}

impl TryFrom<String> for Resource {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Resource::all()
            .find(|resource| resource.name() == name)
            .ok_or_else(|| format!("there is no limit {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(name: &str) -> Resource {
        Resource::try_from(name.to_owned()).unwrap()
    }

    #[test]
    fn one_number_is_both_and_two_are_soft_and_hard() {
        let read = |name, text| Rlimit::read(resource(name), text).map(|limit| (limit.soft, limit.hard));
        assert_eq!(read("nofile", "64"), Ok((64, 64)));
        assert_eq!(read("nofile", "64:128"), Ok((64, 128)));
        assert_eq!(read("as", "1g:unlimited"), Ok((1 << 30, u64::MAX)));
        for (name, wrong) in [
            ("nofile", ""),
            ("nofile", "1k"),
            ("nofile", "-1"),
            ("nofile", "+1"),
            ("nofile", "128:64"),
            ("nofile", "64:"),
            ("as", "1kk"),
            ("as", "99999999999g"),
        ] {
            assert!(read(name, wrong).is_err(), "{name} {wrong}");
        }
    }

    #[test]
    fn there_are_no_core_dumps_unless_they_are_asked_for() {
        assert_eq!(CORE, resource("core"));
        let limit = Rlimit::read(resource("nofile"), "64").unwrap();
        assert_eq!(Rlimit::all(&[limit]).unwrap(), [limit, Rlimit::NO_CORE]);
    }
}
