//! `Plan`: what will be done, decided and printable. Making one reads the host and changes nothing.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::net::Ipv4Addr;

use jail_filter::FilterPlan;
use jail_fs::MountPlan;
use jail_net::model::JailId;
use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

use crate::network::{self, Backends, NetworkPlan};
use crate::place::Place;
use crate::spec::{Ip, Net, Spec, ViewSpec};

/// The directories a program is looked for in, inside.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a jail calls itself in /etc/hosts when its address is not known before it starts: Debian's for a machine without
/// a permanent one.
const LEASED: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);

/// What will be done to start a jail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Its identity on this machine.
    pub id: JailId,
    /// Its name and host name.
    pub name: String,
    /// The command as the user wrote it.
    pub command: String,
    /// The command as it is executed.
    pub argv: Vec<String>,
    /// The paths it is looked for at inside, in order.
    pub paths: Vec<String>,
    /// Its environment, `KEY=VALUE`.
    pub environment: Vec<String>,
    /// What it sees of the file system.
    pub view: MountPlan,
    /// What it may ask the kernel.
    pub filter: FilterPlan,
    /// Its network.
    pub network: Wanted,
}

/// The network a jail will have.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// Its own, with nothing but a loopback interface.
    None,
    /// The host's.
    Host,
    /// An interface in the DMZ.
    Dmz(Box<NetworkPlan>),
}

/// A plan, and the backends that were loaded to make it.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Whether the name was the user's own: then it is refused when taken, and not numbered.
    pub(crate) named: bool,
    /// The backends of a network of its own.
    pub(crate) backends: Option<Backends>,
}

impl Planned {
    /// What a start would change on the host, in words, a line each. Takes nothing.
    ///
    /// # Errors
    /// What the backends answer.
    pub async fn changes(&self, place: &Place) -> Result<Vec<String>, Failure> {
        let (Wanted::Dmz(plan), Some(backends)) = (&self.plan.network, &self.backends) else {
            return Ok(Vec::new());
        };
        let Plan { id, name, .. } = &self.plan;
        network::Preview { id, name, plan, backends, place }.words().await
    }
}

impl Plan {
    /// Decides everything about a jail, reading the host and changing nothing.
    ///
    /// # Errors
    /// What was asked for and cannot be had.
    pub async fn make(spec: &Spec, place: &Place) -> Result<Planned, Failure> {
        let (name, argv) = (name_of(spec)?, argv_of(&spec.command)?);
        let filter = jail_filter::plan(&spec.filter)?;
        let mut view = spec.view.clone();
        view.files.extend(network::files(&spec.network));
        view.address.get_or_insert(first_address(&spec.network.net).unwrap_or(LEASED).into());
        let (network, backends) = match &spec.network.net {
            Net::None | Net::Host => {
                network::refuse_addresses(&spec.network)?;
                network::refuse_unknown(&spec.backends, place)?;
                (if spec.network.net == Net::Host { Wanted::Host } else { Wanted::None }, None)
            }
            Net::On(interfaces) => {
                let (plan, backends) = network::resolve(interfaces, spec, place).await?;
                (Wanted::Dmz(Box::new(plan)), Some(backends))
            }
        };
        refuse_set_id_files(&view, &filter)?;
        let plan = Plan {
            id: new_id()?,
            name,
            command: spec.command.join(" "),
            paths: paths_of(&argv),
            argv,
            environment: environment(),
            view: jail_fs::plan(&view)?,
            filter,
            network,
        };
        Ok(Planned { plan, named: spec.name.is_some(), backends })
    }

    /// The plan in words, a line each, under a heading for each stage.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("jail {}", self.name), format!("  command     {}", self.argv.join(" "))];
        let own_net = if matches!(self.network, Wanted::Host) { "" } else { "net " };
        lines.push(format!(
            "  namespaces  mount pid {own_net}ipc uts cgroup, user last (65536 ids of its own)"
        ));
        lines.push("files".to_owned());
        lines.extend(self.view.lines().into_iter().map(|line| format!("  {line}")));
        lines.push("filter".to_owned());
        lines.extend(self.filter.lines().into_iter().map(|line| format!("  {line}")));
        lines.push("network".to_owned());
        match &self.network {
            Wanted::None => lines.push("  its own, with a loopback interface only".to_owned()),
            Wanted::Host => lines.push("  the host's".to_owned()),
            Wanted::Dmz(network) => lines.extend(network.lines().into_iter().map(|line| format!("  {line}"))),
        }
        lines
    }
}

/// The first address that was asked for.
fn first_address(net: &Net) -> Option<Ipv4Addr> {
    let Net::On(interfaces) = net else { return None };
    interfaces.iter().find_map(|wanted| match wanted.ip {
        Ip::Fixed(address) => Some(address.address),
        Ip::None | Ip::Lease => None,
    })
}

/// The paths a command is looked for at, in order.
pub(crate) fn paths_of(argv: &[String]) -> Vec<String> {
    let program = argv.first().map_or("", String::as_str);
    if program.contains('/') {
        return vec![program.to_owned()];
    }
    PATH.split(':').map(|dir| format!("{dir}/{program}")).collect()
}

/// A set-user-ID file that the jail's root makes in a writable grant is the host's root's: without the filter that
/// refuses to make one there is no such grant.
fn refuse_set_id_files(view: &ViewSpec, filter: &FilterPlan) -> Result<(), Failure> {
    let grants = view.grants.iter().map(|grant| (&grant.path, grant.writable));
    let writable = grants
        .chain(view.binds.iter().map(|bind| (&bind.source, bind.writable)))
        .find(|(_, writable)| *writable);
    match writable {
        Some((path, _)) if !filter.refuses_set_id() => {
            let object = path.display().to_string();
            let message = format!(
                "{object}: it cannot be writable for a jail that may make set-user-ID files (--seccomp)"
            );
            Err(Failure::new(Kind::Denied, "filesystem", "grant", object, message)
                .hint("grant it read-only (:ro), or leave the filter on"))
        }
        _ => Ok(()),
    }
}

/// The name asked for, or the first program's base name.
fn name_of(spec: &Spec) -> Result<String, Failure> {
    let Some(name) = &spec.name else {
        let first = spec.command.first().map_or("", String::as_str);
        let word = first
            .split([' ', ';', '&', '|', '<', '>', '(', ')', '$', '\t', '\n'])
            .find(|word| !word.is_empty() && !word.contains('=')); // what is assigned for it is no program
        let base = word.unwrap_or("jail").rsplit('/').next().unwrap_or("jail");
        let clean: String =
            base.chars().filter(|sign| sign.is_ascii_alphanumeric() || "._-".contains(*sign)).collect();
        let clean = clean.trim_start_matches(['.', '-']);
        return Ok(if valid_name(clean) { clean.to_owned() } else { "jail".to_owned() });
    };
    if valid_name(name) {
        return Ok(name.clone());
    }
    let message = format!(
        "--name={name}: a name is 1 to 63 letters, digits, '-', '_' and '.', begins with a letter or digit, and is not only digits"
    );
    Err(Failure::new(Kind::Usage, "namespace", "parse", format!("--name={name}"), message)
        .hint("choose another, like --name=web"))
}

/// A name that is also a host name and a directory's name, and never reads as a pid.
fn valid_name(name: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=63).contains(&name.len())
        && name.bytes().all(sign)
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && !name.bytes().all(|byte| byte.is_ascii_digit())
}

/// One argument that holds spaces or shell signs is the shell's; otherwise it is an argv.
pub(crate) fn argv_of(command: &[String]) -> Result<Vec<String>, Failure> {
    const SHELL_SIGNS: &str = " \t\n;&|<>()$`\\\"'*?[]{}~#!";
    match command {
        [] => Err(Failure::new(Kind::Usage, "command", "parse", "COMMAND", "there is no command to run")
            .hint("name one, like: jail run -- nginx")),
        [line] if line.contains(|sign| SHELL_SIGNS.contains(sign)) => {
            Ok(vec!["/bin/sh".into(), "-c".into(), line.clone()])
        }
        [program, ..] if program.is_empty() => {
            Err(Failure::new(Kind::Usage, "command", "parse", "COMMAND", "the command is empty"))
        }
        argv => Ok(argv.to_vec()),
    }
}

/// The environment: nothing of the caller's but its language and terminal.
fn environment() -> Vec<String> {
    let mut environment = vec![format!("PATH={PATH}"), "HOME=/root".into(), "USER=root".into()];
    for key in ["LANG", "TERM"] {
        if let Ok(value) = std::env::var(key) {
            environment.push(format!("{key}={value}"));
        }
    }
    environment
}

/// A new identity: 48 random bits.
pub(crate) fn new_id() -> Result<JailId, Failure> {
    let mut bytes = [0u8; 6];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Failure::call("state", "read", "/dev/urandom", &error))?;
    let mut digits = String::with_capacity(12);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
        .parse()
        .map_err(|message: String| Failure::new(Kind::Failed, "state", "id", digits.clone(), message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(command: &str) -> String {
        name_of(&Spec { command: vec![command.to_owned()], ..Spec::default() }).unwrap()
    }

    #[test]
    fn a_jail_is_named_after_its_first_program() {
        assert_eq!(named("rsyslogd; nginx; sleep inf"), "rsyslogd");
        assert_eq!(named("/etc/init.d/nginx start; sleep inf"), "nginx");
        assert_eq!(named("$(x)"), "x");
        assert_eq!(named("7z"), "7z");
        assert_eq!(named("123"), "jail");
    }

    #[test]
    fn a_name_that_could_be_a_pid_or_a_path_is_refused() {
        for name in ["123", "", "a/b", "../x", ".hidden", "-x", "a b", &"x".repeat(64)] {
            let spec = Spec { name: Some(name.to_owned()), ..Spec::default() };
            assert_eq!(name_of(&spec).unwrap_err().kind, Kind::Usage, "{name}");
        }
    }

    #[test]
    fn only_a_single_argument_with_shell_signs_is_the_shells() {
        let argv = |command: &[&str]| {
            argv_of(&command.iter().map(|&part| part.to_owned()).collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(argv(&["rsyslogd; nginx; sleep inf"]), ["/bin/sh", "-c", "rsyslogd; nginx; sleep inf"]);
        assert_eq!(argv(&["nginx"]), ["nginx"]);
        assert_eq!(argv(&["nginx", "-g", "daemon off;"]), ["nginx", "-g", "daemon off;"]);
    }
}
