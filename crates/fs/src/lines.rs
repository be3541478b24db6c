//! The plan as a person reads it: one line per mount.

use crate::plan::{Mount, MountPlan, Store, What};

impl MountPlan {
    /// One line per mount (target, what, flags), in the order they are made, then what else is worth knowing.
    pub fn lines(&self) -> Vec<String> {
        let links = self.links.iter().map(|(path, content)| format!("{path}  link to {content}"));
        let mounts = self.mounts.iter().map(|mount| self.line(mount));
        let notes = self.notes.iter().map(|note| format!("note: {note}"));
        // a name of the host's may hold what a terminal would obey
        links.chain(mounts).chain(notes).map(|line| printable(&line)).collect()
    }

    fn line(&self, mount: &Mount) -> String {
        let access = if mount.writable { "rw" } else { "ro" };
        let what = match &mount.what {
            What::Host { source, mapped, .. } => {
                let mapped = if *mapped { ",idmapped" } else { "" };
                format!("host {source}  {access},nosuid,nodev{mapped}")
            }
            What::Fresh { store, folders, .. } => {
                let size = match store {
                    Store::Root => self.limits.root,
                    Store::Data => self.limits.data,
                    Store::Log => self.limits.log,
                };
                let shared = if *store == Store::Log { "" } else { " (shared)" };
                let folders = match folders.len() {
                    0 => String::new(),
                    number => format!(", {}", count(number, "empty directory", "empty directories")),
                };
                format!("own{folders}  rw,nosuid,nodev,size={}m{shared}", size >> 20)
            }
            What::Overlay { lower, folders, .. } => {
                let empty = folders.iter().filter(|folder| folder.empty).count();
                format!(
                    "overlay on host {lower}, {} of its own, {empty} of them empty  rw,nosuid,nodev,size={}m (shared)",
                    count(folders.len(), "directory", "directories"),
                    self.limits.data >> 20
                )
            }
            What::Tmpfs { size, .. } => format!("tmpfs  rw,nosuid,nodev,size={size}"),
            What::Proc { read_only, hidden } => {
                let hidden: Vec<&str> = hidden.iter().map(|entry| entry.path.as_str()).collect();
                let (read_only, hidden) = (read_only.join(" "), hidden.join(" "));
                format!("proc, read-only: {read_only}; hidden: {hidden}  rw,nosuid,nodev,noexec,hidepid=2")
            }
            What::Dev => "devices: null zero full random urandom tty  rw,nosuid,noexec".to_owned(),
            What::Terminals => "devpts  rw,nosuid,noexec".to_owned(),
            What::Hidden { file } => format!("hidden {}", if *file { "file" } else { "directory" }),
            What::Text { content } => format!("generated file, {} bytes  ro,nosuid,nodev", content.len()),
            What::Frozen => "what is there  ro".to_owned(),
        };
        let asked = if mount.asked == mount.target { String::new() } else { format!("  ({})", mount.asked) };
        format!("{}  {what}{asked}", mount.target)
    }
}

/// With what a terminal would obey escaped.
pub(crate) fn printable(line: &str) -> String {
    line.chars().fold(String::new(), |mut line, letter| {
        match letter.is_control() {
            true => line.extend(letter.escape_default()),
            false => line.push(letter),
        }
        line
    })
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
