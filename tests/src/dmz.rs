//! The article's network in `jail`'s terms: names of addresses, the DMZ, its web server, and the probes sent to it.

use crate::{Host, Output, Running};

/// The host as the outside client knows it.
pub const HOST: &str = "192.0.2.1";
/// The host as the LAN knows it.
pub const HOST_ON_LAN: &str = "192.168.7.1";
/// The host as the DMZ knows it.
pub const HOST_ON_DMZ: &str = "10.10.20.1";
/// The outside client.
pub const CLIENT: &str = "192.0.2.2";
/// An address somewhere in the Internet, behind the client.
pub const INTERNET: &str = "198.51.100.1";
/// The machine in the LAN.
pub const LAN: &str = "192.168.7.2";
/// The article's jail.
pub const JAIL: &str = "10.10.20.10";

/// The options of the article's start.
pub const ARTICLE: &str = "--name=web --private --seccomp --net=br0 --ip=10.10.20.10 --publish=80";
/// The command of the article's start.
pub const SERVERS: &str = "'rsyslogd; nginx; sleep inf'";

/// curl's exit status for a connection that was refused, and at once: one that hangs is 28.
pub const REFUSED: i32 = 7;

/// Fetches a page.
pub fn fetch(url: &str) -> String {
    format!("curl --silent --show-error --fail --max-time 5 http://{url}")
}

/// Opens a TCP connection and sends a request: exits with 0 when it is answered, with [`REFUSED`] when it is refused.
pub fn dial(address: &str, port: u16) -> String {
    format!("curl --silent --output /dev/null --max-time 5 http://{address}:{port}/")
}

/// A word for a shell.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

impl Host {
    /// Makes the article's network on the bridge br0.
    #[track_caller]
    pub fn dmz(&self) {
        self.jail("net create dmz --subnet=10.10.20.0/24 --bridge=br0").succeeds();
    }

    /// Starts the article's jail in the background, on the article's network; it serves when this returns, and all its
    /// commands have begun.
    #[track_caller]
    pub fn web(&self) {
        self.dmz();
        let backend = self.firewall().backend();
        self.jail(&format!("--backend={backend} run -d {ARTICLE} {SERVERS}")).succeeds();
        self.until(&format!("{} && jail tree web | grep -q ':sleep inf'", dial(JAIL, 80))).succeeds();
    }

    /// Runs a script in a jail that runs.
    #[track_caller]
    pub fn join(&self, jail: &str, script: &str) -> Output {
        self.jail(&format!("join {jail} -- sh -c {}", quote(script)))
    }

    /// Runs a script in a jail of its own with these options, to its end.
    #[track_caller]
    pub fn jailed(&self, options: &str, script: &str) -> Output {
        self.jail(&format!("--quiet run {options} -- sh -c {}", quote(script)))
    }

    /// Starts a script in a jail with these options and waits until the script begins.
    #[track_caller]
    pub fn start_jailed(&self, options: &str, script: &str) -> Running {
        let script = quote(&format!("echo ready; {script}"));
        let mut jail = self.start(&format!("exec jail --quiet run {options} -- bash -c {script}"));
        assert_eq!(jail.line(), "ready");
        jail
    }

    /// A bridge br0 of somebody else's, with a machine `admin` of theirs on it at 10.10.20.99.
    #[track_caller]
    pub fn foreign_bridge(&self) {
        self.sh(&format!(
            "set -e; ip link add br0 address 02:00:00:00:00:aa type bridge
             ip address add {HOST_ON_DMZ}/24 dev br0
             ip link set br0 up"
        ))
        .succeeds();
        self.foreign_port("admin", "10.10.20.99");
        self.until("ip -6 -o address show br0 scope link | grep -q fe80").succeeds(); // it comes with the carrier
    }

    /// A machine of somebody else's on the bridge br0, `name` at `address`: reached by `ip netns exec NAME`.
    #[track_caller]
    pub fn foreign_port(&self, name: &str, address: &str) {
        self.foreign_port_at(name, &format!("{address}/24"), HOST_ON_DMZ);
    }

    /// The same where the bridge's subnet is another, and so its router.
    #[track_caller]
    pub fn foreign_port_at(&self, name: &str, address: &str, router: &str) {
        self.sh(&format!(
            "set -e; ip netns add {name}
             ip link add {name} type veth peer name eth0 netns {name}
             ip link set {name} master br0 up
             ip -netns {name} address add {address} dev eth0
             ip -netns {name} link set lo up
             ip -netns {name} link set eth0 up
             ip -netns {name} route add default via {router}"
        ))
        .succeeds();
    }
}
