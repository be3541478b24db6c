//! `--whitelist`: of the top-level directory that holds a path, only what is whitelisted is seen; with Firejail's meaning
//! of that directory.

use std::collections::BTreeMap;
use std::fs::symlink_metadata;
use std::path::Path;

use jail_sys::{Failure, Kind};

use crate::inside::{Inside, State, is_below};
use crate::plan::{Entry, Folder, Mount, MountPlan, STAGE, Store, What};
use crate::request::absolute;
use crate::scan::folder_of;
use crate::view::ViewSpec;

/// Directories that are a top of their own, for what else is in the one above is needed by every program.
const DEEPER: [&str; 1] = ["/usr/share"];

/// One path that stays.
struct Kept {
    option: String,
    path: String,
    file: bool,
}

/// Takes everything else out of the directories that hold the whitelisted paths.
///
/// # Errors
/// A path that the jail does not see anyway.
pub(crate) fn add(
    plan: &mut MountPlan,
    inside: &mut Inside,
    spec: &ViewSpec,
    root: &Path,
) -> Result<(), Failure> {
    let mut tops: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for path in &spec.whitelist {
        let kept = kept(path, inside)?;
        let tops = tops.entry(top_of(&kept.path).to_owned()).or_default();
        if tops.iter().all(|other| !is_below(&kept.path, &other.path)) {
            tops.retain(|other| !is_below(&other.path, &kept.path));
            tops.push(kept);
        }
    }
    for (top, kept) in tops {
        empty(plan, &top, &kept)?;
    }
    *inside = Inside::new(root, plan);
    Ok(())
}

fn kept(path: &Path, inside: &Inside) -> Result<Kept, Failure> {
    let option = format!("--whitelist={}", path.display());
    let path = absolute(path, &option)?;
    let refuse = |kind, why: &str, hint: &str| {
        Err(Failure::new(kind, STAGE, "plan", &*option, format!("{option} {why}")).hint(hint))
    };
    let spot = match inside.resolve(&path) {
        Ok(spot) => spot,
        Err(why) => return refuse(Kind::Invalid, &why, "name another"),
    };
    if path == top_of(&path) {
        return refuse(Kind::Usage, "names a whole top-level directory", "name what of it is to be seen");
    }
    match spot.state {
        State::Missing { .. } => refuse(
            Kind::NotFound,
            "names a path that the jail does not see",
            "--grant shows what the host hides from others",
        ),
        State::Special { .. } | State::Hidden(_) => {
            refuse(Kind::Invalid, "is the jail's own", "leave it out")
        }
        _ if spot.path != path => {
            let hint = format!("name that: --whitelist={}", spot.path);
            refuse(Kind::Invalid, "leads elsewhere through symbolic links", &hint)
        }
        state => Ok(Kept { option, path, file: state == State::File }),
    }
}

/// The directory of which the rest is hidden.
fn top_of(path: &str) -> &str {
    let deeper = DEEPER.into_iter().find(|top| is_below(path, top));
    deeper.unwrap_or_else(|| path[1..].find('/').map_or(path, |end| &path[..=end]))
}

/// Puts an empty, read-only directory in the place of `top`, and in it what is kept of what was there.
fn empty(plan: &mut MountPlan, top: &str, kept: &[Kept]) -> Result<(), Failure> {
    let Some(first) = kept.first() else { return Ok(()) };
    let before = plan.mounts.clone();
    plan.mounts.retain(|mount| !is_below(&mount.target, top));
    let make = before.iter().find(|mount| mount.target == top).map(|mount| mount.make.clone());
    let over = |what, make, writable| Mount {
        target: top.to_owned(),
        asked: first.option.clone(),
        make,
        what,
        writable,
    };
    let what = What::Fresh { store: Store::Data, top: Folder::top(0o755), folders: Vec::new() };
    plan.mounts.push(over(what, make.unwrap_or_default(), true));
    let targets = kept.iter().flat_map(|kept| entries(top, kept)).collect();
    plan.mounts.push(over(What::Frozen, targets, false));
    for kept in kept {
        plan.mounts.push(shown(&before, kept)?);
        let below = |mount: &&Mount| is_below(&mount.target, &kept.path) && mount.target != kept.path;
        plan.mounts.extend(before.iter().filter(below).cloned());
    }
    Ok(())
}

/// The directories from `top` down to what is kept, and that itself.
fn entries(top: &str, kept: &Kept) -> Vec<Entry> {
    let ends = kept.path.match_indices('/').map(|(end, _)| end).filter(|end| *end > top.len());
    let above = ends.map(|end| Entry { path: kept.path[..end].to_owned(), file: false });
    above.chain([Entry { path: kept.path.clone(), file: kept.file }]).collect()
}

/// What was seen at the path, as a mount of its own.
fn shown(before: &[Mount], kept: &Kept) -> Result<Mount, Failure> {
    let covering = before.iter().filter(|mount| is_below(&kept.path, &mount.target));
    let refuse = || {
        let message = format!("{} cannot be had: its directory is the jail's own", kept.option);
        Failure::new(Kind::Unsupported, STAGE, "plan", &*kept.option, message)
            .hint("whitelist that directory")
    };
    // of two on one path the later covers the earlier
    let deepest = covering.enumerate().max_by_key(|(order, mount)| (mount.target.len(), *order));
    let Some((_, mount)) = deepest else { return Err(refuse()) };
    let rest = kept.path[mount.target.len()..].trim_start_matches('/');
    if matches!(mount.what, What::Kernels { .. }) {
        let message = format!("{} names what is the kernel's own, and not shown", kept.option);
        return Err(Failure::new(Kind::Invalid, STAGE, "plan", &*kept.option, message).hint("leave it out"));
    }
    let what = if rest.is_empty() { Some(mount.what.clone()) } else { part(&mount.what, rest, kept.file) };
    let what = what.ok_or_else(refuse)?;
    let (target, asked, make) = (kept.path.clone(), kept.option.clone(), Vec::new());
    Ok(Mount { target, asked, make, what, writable: mount.writable })
}

/// What is at `rest` of what is mounted.
fn part(what: &What, rest: &str, file: bool) -> Option<What> {
    match what {
        What::Host { source, deep, granted: None } => {
            Some(What::Host { source: format!("{source}/{rest}"), deep: *deep, granted: None })
        }
        What::Fresh { store, folders, .. } => {
            let (top, folders) = (folder(folders, rest)?, below(folders, rest));
            Some(What::Fresh { store: *store, top, folders })
        }
        What::Overlay { folders, .. } if folder(folders, rest).is_some_and(|folder| folder.empty) => {
            Some(What::Fresh { store: Store::Data, top: folder(folders, rest)?, folders: Vec::new() })
        }
        What::Overlay { lower, folders, .. } if !file => {
            let lower = format!("{lower}/{rest}");
            let there = || Some(folder_of(String::new(), &symlink_metadata(&lower).ok()?));
            let top = folder(folders, rest).or_else(there)?;
            Some(What::Overlay { top, folders: below(folders, rest), lower })
        }
        _ => None,
    }
}

fn folder(folders: &[Folder], path: &str) -> Option<Folder> {
    let folder = folders.iter().find(|folder| folder.path == path)?;
    Some(Folder { path: String::new(), ..folder.clone() })
}

fn below(folders: &[Folder], path: &str) -> Vec<Folder> {
    let relative = |folder: &Folder| {
        let path = folder.path.strip_prefix(path)?.strip_prefix('/')?;
        Some(Folder { path: path.to_owned(), ..folder.clone() })
    };
    folders.iter().filter_map(relative).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_the_first_directory_but_for_shared_files_of_programs() {
        assert_eq!(top_of("/srv/www/site"), "/srv");
        assert_eq!(top_of("/usr/bin/ls"), "/usr");
        assert_eq!(top_of("/usr/share/zoneinfo"), "/usr/share");
        assert_eq!(top_of("/srv"), "/srv");
    }

    #[test]
    fn every_directory_down_to_it_is_made() {
        let kept = Kept { option: String::new(), path: "/srv/a/b/c".into(), file: true };
        let made: Vec<_> = entries("/srv", &kept).into_iter().map(|entry| (entry.path, entry.file)).collect();
        let expected = [("/srv/a", false), ("/srv/a/b", false), ("/srv/a/b/c", true)];
        assert_eq!(made, expected.map(|(path, file)| (path.to_owned(), file)));
    }
}
