//! `Snapshot`: all of a host's state that a jail could leave something in, to be compared before and after.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Host;

/// A host's state, by subject, each a list of lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<&'static str, Vec<String>>);

/// Subjects that one command prints line by line. What changes by itself is taken out: counters, the operational
/// state of links (the kernel tells it up to a second late), kernel-wide tables that other machines share; and what
/// holds nothing of any jail: locks, and the mark that uid ranges have been checked since boot.
const SUBJECTS: [(&str, &str); 6] = [
    ("routes", "ip route show table all; ip -6 route show table all"),
    (
        "sysctls",
        "(grep -rs '' /proc/sys/net || true) | grep -v -e nf_conntrack_count -e /neigh/default/gc_ -e /route/",
    ),
    (
        "files of ours",
        "find /run/jail /etc/jail ! -type d ! -name '*.lock' ! -path /run/jail/uid/clean 2>/dev/null || true",
    ),
    ("mounts", "cut -d' ' -f4- /proc/1/mountinfo | sed 's/ - / /'"),
    ("cgroups", "find /sys/fs/cgroup -type d -path '*jail*' 2>/dev/null || true"),
    (
        "processes",
        "all=$(ps -e -o args=); echo \"$all\" | grep -v -e '^ps -e' -e '^bash -c' -e '^\\[*timeout'",
    ),
];

impl Snapshot {
    /// The host as it is now.
    #[track_caller]
    pub fn of(host: &Host) -> Snapshot {
        let mut subjects = BTreeMap::from([("links", links(host)), ("addresses", addresses(host))]);
        for (subject, script) in SUBJECTS.into_iter().chain([("rules", host.firewall().list())]) {
            let text = host.sh(&format!("set -o pipefail; {script}"));
            let line = |line: &str| line.replace(" linkdown", "").trim_end().to_owned();
            let mut lines: Vec<_> = text.succeeds().lines().map(line).collect();
            if subject != "rules" {
                lines.sort(); // the order of rules is their meaning, of all else it is chance
            }
            subjects.insert(subject, lines);
        }
        Snapshot(subjects)
    }

    /// The host is as it was then.
    #[track_caller]
    pub fn still_holds(&self, host: &Host) {
        let now = Snapshot::of(host);
        let differences: Vec<_> = self.0.keys().flat_map(|subject| self.differences(&now, subject)).collect();
        assert!(differences.is_empty(), "the host is not as it was:\n{}", differences.join("\n"));
    }

    fn differences(&self, now: &Snapshot, subject: &'static str) -> Vec<String> {
        let (was, is) = (&self.0[subject], &now.0[subject]);
        if was == is {
            return Vec::new();
        }
        let (was_set, is_set): (BTreeSet<_>, BTreeSet<_>) = (was.iter().collect(), is.iter().collect());
        let gone = was_set.difference(&is_set).map(|line| format!("  {subject} - {line}"));
        let new = is_set.difference(&was_set).map(|line| format!("  {subject} + {line}"));
        let mut lines: Vec<_> = gone.chain(new).collect();
        if lines.is_empty() {
            lines.push(format!("  {subject}: the same lines, in another order or number"));
        }
        lines
    }
}

/// Each link in a line: name, kind, MTU, flags that somebody set, master, MAC.
fn links(host: &Host) -> Vec<String> {
    let by_itself = ["LOWER_UP", "NO-CARRIER", "RUNNING"];
    let line = |link: &Value| {
        let flags = link["flags"].as_array().into_iter().flatten();
        let flags: Vec<_> =
            flags.filter_map(Value::as_str).filter(|flag| !by_itself.contains(flag)).collect();
        let (name, kind, master) = (&link["ifname"], &link["linkinfo"]["info_kind"], &link["master"]);
        format!("{name} {kind} mtu {} {flags:?} master {master} {}", link["mtu"], link["address"])
    };
    each(&host.sh("ip -json -details link").json(), line)
}

/// Each link's addresses in a line.
fn addresses(host: &Host) -> Vec<String> {
    let line = |link: &Value| {
        let addresses = link["addr_info"].as_array().into_iter().flatten();
        let addresses: Vec<_> = addresses.map(|a| format!("{}/{}", a["local"], a["prefixlen"])).collect();
        format!("{} {addresses:?}", link["ifname"])
    };
    each(&host.sh("ip -json address").json(), line)
}

fn each(links: &Value, line: impl FnMut(&Value) -> String) -> Vec<String> {
    let mut lines: Vec<_> = links.as_array().into_iter().flatten().map(line).collect();
    lines.sort();
    lines
}
