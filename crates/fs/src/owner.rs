//! What the jail has of its own for the user its command runs as: a home directory, and directories in /run.

use jail_sys::{Failure, Kind};

use crate::plan::{Folder, MountPlan, STAGE, Store, fresh};
use crate::shown::text;
use crate::view::{Owner, ViewSpec};

/// What every jail has in /run: services take it for granted. Everything else there is for a service's own start to
/// make, or for `--runtime-dir`.
const LOCK: &str = "lock";

/// How long the name of a file is at most, see path_resolution(7).
const NAME_MAX: usize = 255;

/// Adds /root, /home and /run.
pub(crate) fn add(plan: &mut MountPlan, spec: &ViewSpec) -> Result<(), Failure> {
    plan.mounts.push(fresh("/root", Store::Data, 0o700, Vec::new()));
    plan.mounts.push(fresh("/home", Store::Data, 0o755, home(&spec.owner)?));
    let mut run = vec![Folder { path: LOCK.to_owned(), ..Folder::top(0o1777) }];
    for name in &spec.runtime_dirs {
        check(name)?;
        if run.iter().all(|folder| folder.path != *name) {
            run.push(Folder { path: name.clone(), ..owned(&spec.owner, 0o755) });
        }
    }
    plan.mounts.push(fresh("/run", Store::Root, 0o755, run));
    Ok(())
}

fn owned(owner: &Owner, mode: u32) -> Folder {
    Folder { uid: owner.uid, gid: owner.gid, ..Folder::top(mode) }
}

/// The directories from /home down to the owner's own, where that is below it.
fn home(owner: &Owner) -> Result<Vec<Folder>, Failure> {
    let Ok(below) = owner.home.strip_prefix("/home") else { return Ok(Vec::new()) };
    let mut folders = Vec::new();
    for part in below.ancestors().filter(|part| !part.as_os_str().is_empty()) {
        let folder = if part == below { owned(owner, 0o700) } else { Folder::top(0o755) };
        folders.insert(0, Folder { path: text(part)?, ..folder });
    }
    Ok(folders)
}

/// One name, not a path, and not what /run has already.
fn check(name: &str) -> Result<(), Failure> {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "._@-".contains(sign);
    let why = match name {
        LOCK => "every jail has /run/lock already",
        "" | "." | ".." => "it is not a name in /run",
        _ if name.len() > NAME_MAX => "a name in /run has at most 255 letters",
        _ if !name.chars().all(plain) => "a name in /run is letters, digits and . _ @ -",
        _ => return Ok(()),
    };
    let option = format!("--runtime-dir={name}");
    Err(Failure::new(Kind::Usage, STAGE, "parse", &option, format!("{option}: {why}"))
        .hint("name one directory, like --runtime-dir=sshd"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_below_home_is_made_with_what_is_above_it() {
        let owner = Owner { uid: 7, gid: 8, home: "/home/staff/alice".into() };
        let folders = home(&owner).unwrap();
        let seen: Vec<_> = folders.iter().map(|f| (f.path.as_str(), f.mode, f.uid, f.gid)).collect();
        assert_eq!(seen, [("staff", 0o755, 0, 0), ("staff/alice", 0o700, 7, 8)]);
        assert!(home(&Owner::default()).unwrap().is_empty());
    }

    #[test]
    fn a_runtime_directory_is_a_name_and_not_one_that_is_taken() {
        for right in ["sshd", "php8.2-fpm", "user@1000", ".x_y", &"x".repeat(255)] {
            check(right).unwrap();
        }
        for wrong in [
            "",
            ".",
            "..",
            "a/b",
            "/sshd",
            "sshd/",
            "lock",
            " ",
            "a\nb",
            "\u{1b}[31mred",
            "a b",
            "\u{fc}",
            &"x".repeat(256),
        ] {
            assert_eq!(check(wrong).unwrap_err().kind, Kind::Usage, "{wrong}");
        }
    }
}
