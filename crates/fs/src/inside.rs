//! What the jail will find at a path, told from the plan so far: where a mount can go is decided before anything
//! is mounted, with the same symbolic links the jail will follow.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::plan::{Entry, Mount, MountPlan, What};

/// How many symbolic links one path may lead through, as in the kernel.
const MAX_LINKS: usize = 40;

/// The view as it is planned so far.
#[derive(Debug)]
pub(crate) struct Inside {
    grounds: Vec<(String, Ground)>,
    links: Vec<(String, String)>,
    made: Vec<Entry>,
}

/// What a part of the tree consists of.
#[derive(Debug)]
enum Ground {
    /// A path of the host's: it has what the host has, and nothing is created in it.
    Host {
        source: PathBuf,
        /// May the jail write to it? Then any link there may be one that it has made.
        writable: bool,
    },
    /// A directory of the jail's own with these directories in it.
    Fresh(BTreeSet<String>),
    /// A directory of the host's under one of the jail's own; the directories in the set are empty.
    Overlay(PathBuf, BTreeSet<String>),
    /// Made by the kernel or from nothing; nothing is mounted into it but to hide or freeze what is there.
    Special(PathBuf),
    /// Hidden by the option that is named.
    Hidden(String),
    /// In the place of something of the kernel's own, where something else can be mounted.
    Kernels { file: bool, what: String },
}

/// A path of the jail's, without symbolic links.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) path: String,
    pub(crate) state: State,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Directory,
    File,
    /// Nothing; `room` if it can be created because the directory is the jail's own.
    Missing {
        room: bool,
        /// In a tree of the host's, where somebody may create it later.
        live: bool,
    },
    /// Something in /proc, /sys or /dev.
    Special {
        file: bool,
    },
    /// Below what this option hides.
    Hidden(String),
}

enum Found {
    State(State),
    Link(String),
    /// A symbolic link where the jail may write.
    Planted,
}

impl Inside {
    /// The default view of `plan`.
    pub(crate) fn new(root: &Path, plan: &MountPlan) -> Self {
        let mut inside = Inside {
            grounds: vec![("/".to_owned(), Ground::Fresh(BTreeSet::new()))],
            links: plan.links.clone(),
            made: Vec::new(),
        };
        for special in ["proc", "sys", "dev"] {
            inside.grounds.push((format!("/{special}"), Ground::Special(root.join(special))));
        }
        plan.mounts.iter().for_each(|mount| inside.add(mount));
        inside
    }

    /// Adds what a mount brings.
    pub(crate) fn add(&mut self, mount: &Mount) {
        self.made.extend(mount.make.iter().cloned());
        let ground = match &mount.what {
            What::Host { source, .. } if is_below(&mount.target, "/sys") => Ground::Special(source.into()),
            What::Host { source, .. } => Ground::Host { source: source.into(), writable: mount.writable },
            What::Fresh { folders, .. } if !is_below(&mount.target, "/dev") => {
                Ground::Fresh(folders.iter().map(|folder| folder.path.clone()).collect())
            }
            What::Overlay { lower, folders, .. } => {
                let empty = folders.iter().filter(|folder| folder.empty).map(|folder| folder.path.clone());
                Ground::Overlay(lower.into(), empty.collect())
            }
            What::Kernels { fs, file, .. } => {
                let what = format!("{} (the kernel's own, {fs})", mount.target);
                Ground::Kernels { file: *file, what }
            }
            What::Tmpfs { .. } => Ground::Fresh(BTreeSet::new()),
            What::Hidden { .. } => Ground::Hidden(mount.asked.clone()),
            _ => return,
        };
        // what was below a directory that is covered now is out of sight
        let covered = |path: &str| is_below(path, &mount.target) && path != mount.target;
        self.made.retain(|entry| !covered(&entry.path));
        self.grounds.retain(|(at, _)| !covered(at));
        self.grounds.push((mount.target.clone(), ground));
    }

    /// Follows `path` (absolute, without `..`) to where it leads inside.
    ///
    /// # Errors
    /// A sentence about the symbolic links, when they lead nowhere or could have been made by the jail.
    pub(crate) fn resolve(&self, path: &str) -> Result<Spot, String> {
        let mut todo: Vec<String> = parts(path).rev().collect();
        let mut here = String::new();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == ".." {
                here.truncate(here.rfind('/').unwrap_or(0));
                continue;
            }
            let next = format!("{here}/{part}");
            match self.look(&next) {
                Found::Link(content) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err("leads through too many symbolic links".to_owned());
                    }
                    if content.starts_with('/') {
                        here.clear();
                    }
                    todo.extend(parts(&content).rev());
                }
                Found::Planted => {
                    return Err(format!(
                        "leads through the symbolic link {next}, which the jail could have made"
                    ));
                }
                Found::State(state @ State::Missing { .. }) => return missing(next, &todo, state),
                Found::State(_) => here = next,
            }
        }
        let Found::State(state) = self.look(&here) else { return Err("leads nowhere".to_owned()) };
        Ok(Spot { path: if here.is_empty() { "/".to_owned() } else { here }, state })
    }

    /// What is at a path all of whose parents are directories.
    fn look(&self, path: &str) -> Found {
        if path.is_empty() || path == "/" {
            return Found::State(State::Directory);
        }
        if let Some((_, content)) = self.links.iter().find(|(link, _)| link == path) {
            return Found::Link(content.clone());
        }
        let of_path = self.grounds.iter().enumerate().filter(|(_, (at, _))| is_below(path, at));
        // the deepest mount counts, and of two on the same path the later
        let ground = of_path.max_by_key(|(order, (at, _))| (at.len(), *order)).map(|(_, ground)| ground);
        let Some((at, ground)) = ground else { return missing_state(true, false) };
        let rest = path[at.len()..].trim_start_matches('/');
        if !matches!(ground, Ground::Hidden(_) | Ground::Kernels { .. })
            && let Some(entry) = self.made.iter().find(|entry| entry.path == path)
            && !rest.is_empty()
        {
            return Found::State(if entry.file { State::File } else { State::Directory });
        }
        match ground {
            Ground::Host { source, writable } => match on_host(&under(source, rest), false) {
                Found::Link(_) if *writable => Found::Planted,
                found => found,
            },
            Ground::Overlay(source, empty) => match ancestors(rest).find(|part| empty.contains(*part)) {
                Some(hidden) if hidden != rest => missing_state(true, false),
                _ => on_host(&under(source, rest), true),
            },
            Ground::Fresh(folders) if rest.is_empty() || folders.contains(rest) => {
                Found::State(State::Directory)
            }
            Ground::Fresh(_) => missing_state(true, false),
            Ground::Special(source) => match fs::metadata(under(source, rest)) {
                Ok(meta) => Found::State(State::Special { file: !meta.is_dir() }),
                Err(_) => missing_state(false, false),
            },
            Ground::Hidden(option) => Found::State(State::Hidden(option.clone())),
            Ground::Kernels { file: true, .. } if rest.is_empty() => Found::State(State::File),
            Ground::Kernels { .. } if rest.is_empty() => Found::State(State::Directory),
            Ground::Kernels { what, .. } => Found::State(State::Hidden(what.clone())),
        }
    }

    /// What a small file of the host's says, where the jail sees one; nothing longer than a mebibyte.
    ///
    /// # Errors
    /// What reading it answers.
    pub(crate) fn read(&self, path: &str) -> io::Result<Option<String>> {
        const ENOUGH: u64 = 1 << 20;
        let spot = self.resolve(path).ok().filter(|spot| spot.state == State::File);
        let Some(source) = spot.and_then(|spot| self.host_path(&spot.path)) else { return Ok(None) };
        // whoever may write to that tree may have put anything in its place
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = File::options().read(true).custom_flags(flags).open(source)?;
        let mut text = Vec::new();
        if file.metadata()?.is_file() {
            file.take(ENOUGH).read_to_end(&mut text)?;
        }
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }

    /// The host's own path behind a path of the jail's that shows the host's.
    pub(crate) fn host_path(&self, path: &str) -> Option<PathBuf> {
        let of_path = self.grounds.iter().enumerate().filter(|(_, (at, _))| is_below(path, at));
        let (_, (at, ground)) = of_path.max_by_key(|(order, (at, _))| (at.len(), *order))?;
        match ground {
            Ground::Host { source, .. } | Ground::Overlay(source, _) => {
                Some(under(source, path[at.len()..].trim_start_matches('/')))
            }
            _ => None,
        }
    }
}

/// What the host has there.
fn on_host(path: &Path, room: bool) -> Found {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => {
            match fs::read_link(path).ok().and_then(|p| p.to_str().map(str::to_owned)) {
                Some(content) => Found::Link(content),
                None => missing_state(false, true),
            }
        }
        Ok(meta) if meta.is_dir() => Found::State(State::Directory),
        Ok(_) => Found::State(State::File),
        Err(_) => missing_state(room, true),
    }
}

/// `source` itself for an empty `rest`: a file has no path below it, not even an empty one.
fn under(source: &Path, rest: &str) -> PathBuf {
    if rest.is_empty() { source.to_owned() } else { source.join(rest) }
}

fn missing_state(room: bool, live: bool) -> Found {
    Found::State(State::Missing { room, live })
}

fn missing(at: String, rest: &[String], state: State) -> Result<Spot, String> {
    if rest.iter().any(|part| part == "..") {
        return Err("leads through a symbolic link to where nothing is".to_owned());
    }
    let path = rest.iter().rev().fold(at, |path, part| format!("{path}/{part}"));
    Ok(Spot { path, state })
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = String> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned)
}

/// `a`, `a/b`, `a/b/c` of `a/b/c`.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end]).chain([path])
}

/// Whether `path` is `top` or below it.
pub(crate) fn is_below(path: &str, top: &str) -> bool {
    top == "/" || path == top || path.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
}

impl Spot {
    /// The directories that must be created so that the spot's own parent exists, and the spot itself.
    pub(crate) fn make(&self, inside: &Inside, file: bool) -> Vec<Entry> {
        if !matches!(self.state, State::Missing { .. }) {
            return Vec::new();
        }
        let relative = self.path.trim_start_matches('/');
        let above = ancestors(relative).map(|part| format!("/{part}")).filter(|part| *part != self.path);
        let absent = |path: &String| matches!(inside.look(path), Found::State(State::Missing { .. }));
        let mut entries: Vec<Entry> = above.filter(absent).map(|path| Entry { path, file: false }).collect();
        entries.push(Entry { path: self.path.clone(), file });
        entries
    }
}
