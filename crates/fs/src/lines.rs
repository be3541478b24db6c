//! The plan as a person reads it: one line per mount.

use jail_sys::printable;

use crate::plan::{Mount, MountPlan, Store, What};

impl MountPlan {
    /// One line per mount (target, what, flags), in the order they are made, then what else is worth knowing.
    pub fn lines(&self) -> Vec<String> {
        let links = self.links.iter().map(|(path, content)| format!("{path}  link to {content}"));
        let mounts = self.mounts.iter().map(|mount| self.line(mount));
        let shared = format!("what is marked shared holds {} together", amount(self.limits.data));
        let notes = self.notes.iter().chain([&shared]).map(|note| format!("note: {note}"));
        // a name of the host's may hold what a terminal would obey
        links.chain(mounts).chain(notes).map(|line| printable(&line)).collect()
    }

    fn line(&self, mount: &Mount) -> String {
        let access = if mount.writable { "rw" } else { "ro" };
        let what = match &mount.what {
            What::Host { source, granted, .. } => {
                let mapped = if granted.is_some() && !self.by_user { ",idmapped" } else { "" };
                format!("host {source}  {access},nosuid,nodev{mapped}")
            }
            What::Fresh { store, folders, .. } => {
                let folders = match folders.len() {
                    0 => String::new(),
                    number => format!(", {}", count(number, "empty directory", "empty directories")),
                };
                let room = match store {
                    Store::Root => format!("{}, with /dev", memory(self.limits.root)),
                    Store::Data => self.shared(),
                    Store::Log => memory(self.limits.log),
                };
                format!("own{folders}  rw,nosuid,nodev  {room}")
            }
            What::Overlay { lower, folders, .. } => {
                let empty = folders.iter().filter(|folder| folder.empty).count();
                format!(
                    "overlay on host {lower}, {} of its own, {empty} of them empty  rw,nosuid,nodev  {}",
                    count(folders.len(), "directory", "directories"),
                    self.shared()
                )
            }
            What::Tmpfs { size, .. } => format!("tmpfs  rw,nosuid,nodev  {}", limit(size)),
            What::Proc { read_only, hidden } => {
                let hidden: Vec<&str> = hidden.iter().map(|entry| entry.path.as_str()).collect();
                let (read_only, hidden) = (read_only.join(" "), hidden.join(" "));
                format!(
                    "proc, read-only: {read_only}; hidden: {hidden}  {access},nosuid,nodev,noexec,hidepid=2"
                )
            }
            What::Dev => "devices: null zero full random urandom tty  rw,nosuid,noexec".to_owned(),
            What::Terminals => "devpts  rw,nosuid,noexec".to_owned(),
            What::Hidden { file } => format!("hidden {}", if *file { "file" } else { "directory" }),
            What::Kernels { fs, file, .. } => {
                format!("hidden {}: the kernel's own ({fs})", if *file { "file" } else { "directory" })
            }
            What::Text { content } => format!("generated file, {} bytes  ro,nosuid,nodev", content.len()),
            What::Hostname => "the jail's name  ro,nosuid,nodev".to_owned(),
            What::Hosts { address, others } => {
                let others = count(others.len(), "entry", "entries");
                format!("localhost, the jail's name at {address}, {others} of the host's  ro,nosuid,nodev")
            }
            What::Frozen => "what is there  ro".to_owned(),
            What::NoExec => "what is there  noexec".to_owned(),
        };
        let asked = if mount.asked == mount.target { String::new() } else { format!("  ({})", mount.asked) };
        format!("{}  {what}{asked}", mount.target)
    }

    /// The room of the directories that have it together.
    fn shared(&self) -> String {
        format!("{}, shared", memory(self.limits.data))
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A limit in words.
fn memory(bytes: u64) -> String {
    format!("up to {} of memory", amount(bytes))
}

/// A tmpfs's limit in words: a percentage stays one, for the kernel takes it of the memory there is at the start.
fn limit(size: &str) -> String {
    let digits = size.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = match &size[digits.len()..] {
        "%" => return format!("up to {size} of memory"),
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        _ => 1,
    };
    digits.parse().ok().and_then(|number: u64| number.checked_mul(unit)).map_or_else(String::new, memory)
}

/// Bytes in the largest unit that they fill, with at most one digit behind the point.
fn amount(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes")];
    let (unit, name) = units.into_iter().find(|(unit, _)| bytes >= *unit).unwrap_or((1, "bytes"));
    match bytes % unit * 10 / unit {
        0 => format!("{} {name}", bytes / unit),
        tenths => format!("{}.{tenths} {name}", bytes / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_as_a_person_writes_them() {
        for (bytes, words) in [
            (32 << 20, "32 MiB"),
            (4 << 30, "4 GiB"),
            (1_020_000_000, "972.7 MiB"),
            (3 << 29, "1.5 GiB"),
            (7, "7 bytes"),
        ] {
            assert_eq!(amount(bytes), words);
        }
        assert_eq!(limit("25%"), "up to 25% of memory");
        assert_eq!(limit("64k"), "up to 64 KiB of memory");
        assert_eq!(limit("1000"), "up to 1000 bytes of memory");
    }
}
