//! `/etc/hostname` and `/etc/hosts`: who the jail is, where the host's own would say who the host is.

use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};

use crate::inside::{Inside, State};
use crate::plan::{Mount, MountPlan, What};

/// Names of the loopback addresses, which the jail has of its own.
const LOOPBACK: [&str; 3] = ["localhost", "ip6-localhost", "ip6-loopback"];

/// How long the host's `/etc/hosts` may be, in bytes: it becomes a part of the plan. A list of what is to be blocked is
/// longer, and for the host's own resolver.
const LARGEST: usize = 64 << 10;

const LEFT_OUT: &str = "the host's is larger than 64 KiB and left out; --grant=/etc/hosts shows it instead";

/// Adds both, on top of what the user asked for (the mounts from `first` on): not in the place of what was asked for by
/// name, and not where the host has no such file, for nothing can be created in the host's tree.
pub(crate) fn add(plan: &mut MountPlan, inside: &Inside, first: usize, address: IpAddr) {
    for path in ["/etc/hostname", "/etc/hosts"] {
        let Ok(spot) = inside.resolve(path) else { continue };
        let asked = plan.mounts.get(first..).unwrap_or_default();
        let taken = asked.iter().any(|mount| mount.target == spot.path && mount.what != What::Frozen);
        if taken || spot.state != State::File {
            continue;
        }
        let what = match path {
            "/etc/hostname" => What::Hostname,
            _ => {
                let text = inside.host_path(&spot.path).and_then(|file| public(&file).ok()).flatten();
                if text.as_ref().is_some_and(|text| text.len() > LARGEST) {
                    plan.notes.push(format!("{path}: {LEFT_OUT}"));
                }
                let text = text.filter(|text| text.len() <= LARGEST).unwrap_or_default();
                What::Hosts { address, others: others(&text) }
            }
        };
        let asked = path.to_owned();
        plan.mounts.push(Mount { target: spot.path, asked, make: Vec::new(), what, writable: false });
    }
}

/// The content of `/etc/hosts`, see hosts(5).
pub(crate) fn hosts(name: &str, address: IpAddr, others: &[String]) -> String {
    let own = ["127.0.0.1\tlocalhost".to_owned(), format!("::1\t{}", LOOPBACK.join(" "))];
    let lines = own.into_iter().chain([format!("{address}\t{name}")]).chain(others.iter().cloned());
    lines.map(|line| line + "\n").collect()
}

/// The file's content, or one byte more than is used of it, when anyone on the host may read it.
///
/// # Errors
/// What openat2(2) or read(2) answers.
fn public(file: &Path) -> io::Result<Option<Vec<u8>>> {
    // where the jail may write it may be a link or a FIFO by now
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat2(CWD, file, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)?);
    let meta = file.metadata()?;
    if !meta.is_file() || meta.permissions().mode() & 0o004 == 0 {
        return Ok(None);
    }
    let mut text = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// What the host's file says of others.
fn others(text: &[u8]) -> Vec<String> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    entries(&String::from_utf8_lossy(text), &host)
}

/// The entries of `text` without comments, without the loopback's names, and without those of `host`.
fn entries(text: &str, host: &str) -> Vec<String> {
    let short = host.split('.').next().unwrap_or(host);
    let of_host = |name: &str| name == host || name.split('.').next() == Some(short);
    let entry = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address: IpAddr = words.next()?.parse().ok()?;
        let names: Vec<&str> = words.filter(|name| !LOOPBACK.contains(name) && !of_host(name)).collect();
        (!names.is_empty()).then(|| format!("{address}\t{}", names.join(" ")))
    };
    text.lines().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_says_of_others_is_kept_and_its_own_names_are_not() {
        let text = "# a comment\n127.0.0.1 localhost\n127.0.1.1 host.example host\n192.168.7.9 files files.lan # NAS\n\
                    ::1 localhost ip6-localhost\nff02::1 ip6-allnodes\n192.168.7.1 host.lan router\nnonsense\n";
        let kept = ["192.168.7.9\tfiles files.lan", "ff02::1\tip6-allnodes", "192.168.7.1\trouter"];
        assert_eq!(entries(text, "host"), kept);
        assert_eq!(entries(text, "host.example"), kept);
    }

    #[test]
    fn the_jail_has_its_name_and_the_loopback_both_addresses() {
        let text = hosts("web", "10.10.20.10".parse().unwrap(), &["192.168.7.9\tfiles".to_owned()]);
        assert_eq!(
            text,
            "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.10.20.10\tweb\n192.168.7.9\tfiles\n"
        );
    }
}
