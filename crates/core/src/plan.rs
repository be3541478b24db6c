//! `Plan`: what will be done, decided and printable. Making one reads the host and changes nothing.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use jail_filter::{FilterPlan, LandlockPlan, LandlockSpec, Writable};
use jail_fs::{Closed, MountPlan, Owner};
use jail_net::model::{JailId, Segment};
use jail_sys::{Failure, Kind, printable};
use serde::{Deserialize, Serialize};

use crate::caller::Caller;
use crate::identity::{IdentitySpec, Timeout, paths_of};
use crate::keep::KeptFd;
use crate::names::{argv_of, name_of};
use crate::network::{self, Backends, NetworkPlan};
use crate::ours::refuse_ours;
use crate::place::Place;
use crate::spec::{FilterSpec, Ip, Net, Spec, ViewSpec};
use crate::tell::{Tell, Told};
use crate::user::User;
use crate::userns::Userns;

/// What a jail calls itself in /etc/hosts when its address is not known before it starts: Debian's for a machine without
/// a permanent one.
const LEASED: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);

/// What will be done to start a jail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Its identity on this machine.
    pub id: JailId,
    /// Its name.
    pub name: String,
    /// Its host name, when that is not its name.
    pub hostname: Option<String>,
    /// Who its command runs as.
    pub user: User,
    /// Whose its ids are on the host.
    pub userns: Userns,
    /// The command as the user wrote it.
    pub command: String,
    /// The command as it is executed.
    pub argv: Vec<String>,
    /// The paths it is looked for at inside, in order.
    pub paths: Vec<String>,
    /// Its environment, `KEY=VALUE`.
    pub environment: Vec<String>,
    /// The directory it starts in.
    pub cwd: String,
    /// Descriptors of the caller's that it has, besides standard input, output and error.
    pub keep_fds: Vec<KeptFd>,
    /// How long it runs at most.
    pub timeout: Option<Timeout>,
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
    /// Who is told what a start does.
    pub(crate) tell: Tell,
}

impl Planned {
    /// Has a start of this tell each step once it is done. The jail's own half, which can say nothing itself, is told
    /// when its command runs or a step of it has failed.
    pub fn tell(&mut self, told: impl Fn(Told<'_>) + Send + Sync + 'static) {
        self.tell = Tell::to(told);
    }
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
        let identity = &spec.identity;
        identity.check()?;
        let caller = Caller::now();
        caller.refuse(spec)?;
        refuse_hosts_root(spec)?;
        let mut view = spec.view.clone();
        view.by_user = !caller.is_root();
        let user = user_of(identity, &mut view)?;
        caller.refuse_user(identity.user.as_deref(), user.uid, user.gid)?;
        view.hosts_ids = identity.userns != Userns::Auto;
        let userns = caller.userns(identity.userns);
        let filter = jail_filter::plan(&FilterSpec {
            other_user: user.uid != 0,
            on_host: userns == Userns::Host,
            hosts_users: userns != Userns::Auto,
            ..spec.filter.clone()
        })?;
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
        refuse_set_id_files(&view, &identity.keep_fds, userns, &filter)?;
        refuse_own_rules(&filter, &network)?;
        let environment = identity.environment(&user);
        let asked = view;
        let view = jail_fs::plan(&asked)?;
        refuse_ours(&asked, place)?;
        let plan = Plan {
            id: new_id()?,
            name,
            hostname: identity.hostname.clone(),
            command: spec.command.join(" "),
            paths: paths_of(&argv, &environment),
            argv,
            environment,
            cwd: identity.cwd.as_ref().map_or_else(|| "/".to_owned(), |cwd| cwd.display().to_string()),
            keep_fds: identity.keep_fds.clone(),
            timeout: identity.timeout,
            userns,
            user,
            filter: filter.with_landlock(&behind_mounts(&view, identity, &network)),
            view,
            network,
        };
        Ok(Planned { plan, named: spec.name.is_some(), backends, tell: Tell::default() })
    }

    /// The plan in words, a line each, under a heading for each stage.
    pub fn lines(&self) -> Vec<String> {
        let mut lines =
            vec![format!("jail {}", self.name), format!("  command     {}", printable(&self.argv.join(" ")))];
        let own_net = if matches!(self.network, Wanted::Host) { "" } else { "net " };
        lines.push(format!("  namespaces  mount pid {own_net}ipc uts cgroup, {}", self.userns.line()));
        lines.extend(self.identity_lines());
        lines.push("files".to_owned());
        lines.extend(self.view.lines().into_iter().map(|line| format!("  {line}")));
        lines.push("filter".to_owned());
        lines.extend(self.filter.lines().into_iter().map(|line| format!("  {line}")));
        if let Some(option) = self.filter.opens_keys().filter(|_| self.userns != Userns::Auto) {
            lines.push(format!(
                "  note: {option}: its users are the host's, and nothing keeps them from their keys there"
            ));
        }
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

impl Plan {
    /// Its host name.
    pub fn hostname(&self) -> &str {
        self.hostname.as_deref().unwrap_or(&self.name)
    }

    /// The sockets and FIFOs of the host's within the jail's reach, by their paths inside, a line each. It takes about as
    /// long as `find /usr`.
    pub fn doors(&self) -> Vec<String> {
        let wall = self.filter.landlock.as_ref();
        let closed = |closes: fn(&LandlockPlan) -> bool| wall.is_some_and(closes);
        self.view.doors(Closed {
            fifos: closed(LandlockPlan::closes_fifos),
            sockets: closed(LandlockPlan::closes_sockets),
        })
    }

    /// Who it is, as far as that was asked for.
    fn identity_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(name) = &self.hostname {
            lines.push(format!("  host name   {name}"));
        }
        if self.user != User::root() {
            let User { name, uid, gid, groups, home } = &self.user;
            let groups: Vec<_> = [gid].into_iter().chain(groups).map(ToString::to_string).collect();
            lines.push(format!("  user        {name} ({uid}), groups {}, home {home}", groups.join(" ")));
        }
        if self.cwd != "/" {
            lines.push(format!("  directory   {}", printable(&self.cwd)));
        }
        lines.extend(self.keep_fds.iter().map(|kept| format!("  descriptor  {}", printable(&kept.line()))));
        if let Some(timeout) = self.timeout {
            lines.push(format!("  time        {timeout}, then it is stopped"));
        }
        lines.push(format!("  environment {}", printable(&self.environment.join(" "))));
        if matches!(self.userns, Userns::Identity | Userns::Host) {
            lines.push(format!(
                "  note: --userns={}: a service of the host's that asks who connects is answered with the number of a user of the host's",
                self.userns
            ));
        }
        let kept = self.keep_fds.iter().filter(|_| self.userns != Userns::Auto).find_map(KeptFd::with_mode);
        if let Some(option) = kept {
            lines.push(format!(
                "  note: {option}: the file's owner is inside and can change its mode, and without Landlock open it anew for writing"
            ));
        }
        lines
    }
}

/// What Landlock lets through where the mounts do.
fn behind_mounts(view: &MountPlan, identity: &IdentitySpec, network: &Wanted) -> LandlockSpec {
    let place = |place: jail_fs::Writable| Writable { path: place.path, file: place.file };
    LandlockSpec {
        writable: view.writable().into_iter().map(place).collect(),
        files: identity.keep_fds.iter().map(KeptFd::opened).collect(),
        hosts_network: matches!(network, Wanted::Host),
    }
}

/// Who the command runs as, and what that makes its own of what it sees.
fn user_of(identity: &IdentitySpec, view: &mut ViewSpec) -> Result<User, Failure> {
    let Some(asked) = &identity.user else { return Ok(User::root()) };
    // Whose the directories are is known only once the files that say so are.
    let before = ViewSpec { private: None, ..view.clone() };
    let user = User::find(asked, &jail_fs::plan(&before)?)?;
    view.owner = Owner { uid: user.uid, gid: user.gid, home: PathBuf::from(&user.home) };
    Ok(user)
}

/// A set-user-ID file that the jail's root makes in a writable grant is the host's root's: without the filter that
/// refuses to make one there is no such grant, nor a file that is kept open and has its owner inside.
fn refuse_set_id_files(
    view: &ViewSpec,
    kept: &[KeptFd],
    userns: Userns,
    filter: &FilterPlan,
) -> Result<(), Failure> {
    if filter.refuses_set_id() {
        return Ok(());
    }
    let kept = kept.iter().filter(|_| userns != Userns::Auto).find_map(KeptFd::with_mode);
    let granted = view.writable().next().map(|granted| (granted.option, "grant it read-only (:ro)"));
    match granted.or(kept.map(|option| (option, "leave it out"))) {
        Some((option, remedy)) => {
            let message = format!(
                "{option}: it cannot be writable for a jail that may make set-user-ID files (--seccomp)"
            );
            Err(Failure::new(Kind::Denied, "filesystem", "grant", option, message)
                .hint(format!("{remedy}, or leave the filter on")))
        }
        None => Ok(()),
    }
}

/// Beside a parent interface the rules in the jail's network namespace are all there are, and it could change those.
fn refuse_own_rules(filter: &FilterPlan, network: &Wanted) -> Result<(), Failure> {
    let Wanted::Dmz(network) = network else { return Ok(()) };
    let parent = network.attachments.iter().find_map(|one| match &one.network.segment {
        Segment::Parent { parent, .. } => Some(parent),
        Segment::Bridge { .. } => None,
    });
    match parent {
        Some(parent) if filter.caps.names().any(|name| name == "net_admin") => {
            let option = "--caps.keep=net_admin";
            let message = format!(
                "{option}: the jail could take its own rules away, and with --net={parent} there are no others"
            );
            Err(Failure::new(Kind::Denied, "filter", "capabilities", option, message)
                .hint("take it off the list, or give the jail a bridge"))
        }
        _ => Ok(()),
    }
}

/// With the host's ids and the host's network, a jail is the host's root to every abstract socket on it.
fn refuse_hosts_root(spec: &Spec) -> Result<(), Failure> {
    let userns = spec.identity.userns;
    if userns == Userns::Auto || spec.network.net != Net::Host {
        return Ok(());
    }
    let option = format!("--userns={userns}");
    let message = format!(
        "{option} and --net=host together make the jail's root the host's to every service that listens on an abstract socket"
    );
    Err(Failure::new(Kind::Usage, "namespace", "plan", option, message).hint("leave one of the two out"))
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
