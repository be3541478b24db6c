//! Who a jail is, as it was asked for: its names, its user, its environment, its time.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

use crate::keep::KeptFd;
use crate::user::User;
use crate::userns::Userns;

/// The directories a program is looked for in, inside, unless the environment says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who a jail is, as it was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdentitySpec {
    /// `--hostname`: its host name; `None` takes its name.
    pub hostname: Option<String>,
    /// `--user=U[:G]`: who the command runs as, by names or numbers of the jail's own files; `None` is root.
    pub user: Option<String>,
    /// `--env`: variables of its environment, beside or instead of the usual ones.
    pub env: Vec<(String, String)>,
    /// `--rmenv`: variables that it has not.
    pub rmenv: Vec<String>,
    /// `--cwd`: where it starts, as seen inside; `None` is `/`.
    pub cwd: Option<PathBuf>,
    /// `--timeout`: how long it runs at most.
    pub timeout: Option<Timeout>,
    /// `--keep-fd`: descriptors of ours that the command has as well.
    pub keep_fds: Vec<KeptFd>,
    /// `--userns`: whether it has ids of its own.
    pub userns: Userns,
}

/// A time after which a jail is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timeout(Duration);

impl Timeout {
    /// How long it is.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Timeout {
    type Err = String;

    /// Reads `hh:mm:ss`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a time like 01:30:00: hours, minutes and seconds");
        let number = |part: &str, below: u64| {
            let digits = part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u64>().ok().filter(|number| digits && *number < below)
        };
        let parts: Vec<&str> = text.split(':').collect();
        let [hours, minutes, seconds] = parts.as_slice() else { return Err(wrong()) };
        let times = number(hours, 1_000_000).zip(number(minutes, 60)).zip(number(seconds, 60));
        let ((hours, minutes), seconds) = times.ok_or_else(wrong)?;
        match hours * 3600 + minutes * 60 + seconds {
            0 => Err("it is over before it begins".to_owned()),
            seconds => Ok(Timeout(Duration::from_secs(seconds))),
        }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        write!(f, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

impl From<Timeout> for String {
    fn from(timeout: Timeout) -> String {
        timeout.to_string()
    }
}

impl TryFrom<String> for Timeout {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl IdentitySpec {
    /// Whether everything makes sense by itself.
    ///
    /// # Errors
    /// [`Kind::Usage`], naming the option.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if let Some(name) = self.hostname.as_deref().filter(|name| !valid_hostname(name)) {
            let why =
                "a host name is words of letters, digits and '-' with dots between them, 64 signs at most";
            return Err(usage(format!("--hostname={name}"), why, "choose another, like web.example"));
        }
        let named = |name: &str| !name.is_empty() && !name.contains('=');
        if let Some((key, value)) = self.env.iter().find(|(key, _)| !named(key)) {
            let option = format!("--env={key}={value}");
            return Err(usage(option, "there is no name before the '='", "write it --env=NAME=VALUE"));
        }
        if let Some(key) = self.rmenv.iter().find(|key| !named(key)) {
            return Err(usage(format!("--rmenv={key}"), "it is not a name", "write it --rmenv=NAME"));
        }
        if let Some((key, value)) = self.env.iter().find(|(key, _)| self.rmenv.contains(key)) {
            let why = format!("--rmenv={key} takes it away again");
            return Err(usage(format!("--env={key}={value}"), &why, "leave one of them out"));
        }
        match &self.cwd {
            Some(cwd) if !cwd.is_absolute() => {
                let why = "it is a path inside the jail and does not begin with a slash";
                Err(usage(format!("--cwd={}", cwd.display()), why, "write it in full"))
            }
            _ => Ok(()),
        }
    }

    /// The environment: nothing of the caller's but its language and terminal, and what was asked for.
    pub(crate) fn environment(&self, user: &User) -> Vec<String> {
        let own = [("PATH", PATH), ("HOME", &user.home), ("USER", &user.name)];
        let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let callers =
            ["LANG", "TERM"].into_iter().filter_map(|key| Some((key.to_owned(), std::env::var(key).ok()?)));
        let mut all: Vec<(String, String)> = Vec::new();
        for (key, value) in own.into_iter().chain(callers).chain(self.env.iter().cloned()) {
            match all.iter_mut().find(|(known, _)| *known == key) {
                Some(entry) => entry.1 = value,
                None => all.push((key, value)),
            }
        }
        all.retain(|(key, _)| !self.rmenv.contains(key));
        all.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
    }
}

/// The paths a command is looked for at, in order.
pub(crate) fn paths_of(argv: &[String], environment: &[String]) -> Vec<String> {
    let program = argv.first().map_or("", String::as_str);
    if program.contains('/') {
        return vec![program.to_owned()];
    }
    let path = environment.iter().find_map(|entry| entry.strip_prefix("PATH="));
    path.unwrap_or(PATH).split(':').map(|dir| format!("{dir}/{program}")).collect()
}

/// See hostname(7).
fn valid_hostname(name: &str) -> bool {
    let word = |word: &str| {
        let signs = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&word.len()) && signs && !word.starts_with('-') && !word.ends_with('-')
    };
    name.len() <= 64 && name.split('.').all(word)
}

fn usage(option: String, why: &str, hint: &str) -> Failure {
    let message = format!("{option}: {why}");
    Failure::new(Kind::Usage, "namespace", "parse", option, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_hours_minutes_and_seconds() {
        let read = |text: &str| text.parse::<Timeout>();
        assert_eq!(read("00:00:05").unwrap().duration(), Duration::from_secs(5));
        assert_eq!(read("100:30:00").unwrap().to_string(), "100:30:00");
        for wrong in
            ["", "5", "00:05", "00:60:00", "00:00:60", "-1:00:00", "0:0:0", "a:b:c", "1:2:3:4", "+1:00:00"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_name_may_have_a_domain() {
        for right in ["web", "web-2.example.org", "7"] {
            assert!(valid_hostname(right), "{right}");
        }
        for wrong in ["", "-web", "web-", "a..b", "a b", "a_b", ".a", &"x".repeat(64), &"x.".repeat(40)] {
            assert!(!valid_hostname(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_is_set_replaces_and_what_is_removed_is_gone() {
        let user = User { name: "www-data".into(), home: "/var/www".into(), ..User::root() };
        let spec = IdentitySpec {
            env: vec![("A".into(), "1=2".into()), ("PATH".into(), "/opt".into())],
            rmenv: vec!["USER".into()],
            ..IdentitySpec::default()
        };
        spec.check().unwrap();
        let environment = spec.environment(&user);
        assert!(environment.starts_with(&["PATH=/opt".to_owned(), "HOME=/var/www".to_owned()]));
        assert!(environment.contains(&"A=1=2".to_owned()));
        assert!(!environment.iter().any(|entry| entry.starts_with("USER=")));
        assert_eq!(paths_of(&["x".to_owned()], &environment), ["/opt/x"]);
    }

    #[test]
    fn what_is_set_and_removed_is_a_contradiction() {
        let (env, rmenv) = (vec![("A".into(), "1".into())], vec!["A".into()]);
        let spec = IdentitySpec { env, rmenv, ..IdentitySpec::default() };
        assert!(spec.check().unwrap_err().message.contains("--rmenv=A"));
    }
}
