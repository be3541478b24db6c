//! The options of the user's, each as a wish for one path of the jail's.

use std::path::{Component, Path, PathBuf};

use jail_sys::{Failure, Kind};

use crate::plan::STAGE;
use crate::shown::text;
use crate::size::size_of;
use crate::view::ViewSpec;

/// One option of the user's.
pub(crate) struct Request<'a> {
    /// The option, as the user would write it.
    pub(crate) option: String,
    /// The path inside, without `.` and doubled slashes.
    pub(crate) path: String,
    pub(crate) wish: Wish<'a>,
}

/// What is wanted at its path.
#[derive(PartialEq, Eq)]
pub(crate) enum Wish<'a> {
    Show {
        source: String,
        writable: bool,
    },
    Tmpfs {
        size: &'a str,
    },
    Text {
        content: &'a str,
    },
    /// A directory of the command's user's own, which the default view has made already.
    Own,
    /// What the default view has there, which is left when the rest is taken out of it.
    Keep,
    Freeze,
    Hide,
    NoExec,
}

impl Wish<'_> {
    /// Of two on the same path the lower is mounted first.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Wish::Own | Wish::Keep | Wish::Show { .. } | Wish::Tmpfs { .. } | Wish::Text { .. } => 0,
            Wish::Freeze => 1,
            Wish::Hide => 2,
            Wish::NoExec => 3,
        }
    }

    /// Whether nobody can mean both, on one path: `other` is for something that this takes away or covers. A small file
    /// of ours is no wish of the user's: it is taken away like anything else of the default view.
    fn contradicts(&self, other: &Self) -> bool {
        use Wish::{Freeze, Hide, Keep, NoExec, Own, Show, Text, Tmpfs};
        match self {
            Hide => matches!(other, Show { .. } | Tmpfs { .. } | Own | Keep),
            Freeze => matches!(other, Show { writable: true, .. } | Tmpfs { .. } | Own),
            Show { .. } | Tmpfs { .. } | Own => {
                matches!(other, Show { .. } | Tmpfs { .. } | Own) && self != other
            }
            Text { .. } | Keep | NoExec => false,
        }
    }

    /// Whether it holds for whatever the others show.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self, Wish::NoExec)
    }
}

/// What every option of `spec` wants, in no order; `tree` is what is shown of `root`.
///
/// # Errors
/// A path or a size that makes no sense, and options that contradict each other.
pub(crate) fn requests<'a>(
    spec: &'a ViewSpec,
    root: &Path,
    tree: &Path,
) -> Result<Vec<Request<'a>>, Failure> {
    let tree = Path::new("/").join(tree.strip_prefix(root).unwrap_or(tree));
    let mut requests = Vec::new();
    let mut add = |option: String, path: &Path, wish| {
        let path = absolute(path, &option)?;
        requests.push(Request { option, path, wish });
        Ok::<(), Failure>(())
    };
    let suffix = |writable: bool| if writable { ":rw" } else { "" };
    for grant in &spec.grants {
        let option = format!("--grant={}{}", grant.path.display(), suffix(grant.writable));
        let source = absolute(&grant.path, &option)?;
        add(option, &grant.path, Wish::Show { source, writable: grant.writable })?;
    }
    for path in &spec.read_write {
        let option = format!("--read-write={}", path.display());
        let source = absolute(path, &option)?;
        add(option, path, Wish::Show { source, writable: true })?;
    }
    for bind in &spec.binds {
        let (from, to) = (bind.source.display(), bind.target.display());
        let option = format!("--bind={from},{to}{}", suffix(bind.writable));
        let source = absolute(&bind.source, &option)?;
        add(option, &bind.target, Wish::Show { source, writable: bind.writable })?;
    }
    if let Some(dir) = &spec.private {
        let option = format!("--private={}", dir.display());
        let source = absolute(dir, &option)?;
        add(option, &spec.owner.home, Wish::Show { source, writable: true })?;
    }
    for (asked, path) in [(spec.writable_etc, "/etc"), (spec.writable_var, "/var")] {
        let option = format!("--writable-{}", &path[1..]);
        if asked {
            let source = text(&tree.join(&path[1..]))?;
            add(option, Path::new(path), Wish::Show { source, writable: true })?;
        }
    }
    for tmpfs in &spec.tmpfs {
        let option = format!("--tmpfs={}", tmpfs.target.display());
        let size = size_of(&option, tmpfs.size.as_deref())?;
        add(option, &tmpfs.target, Wish::Tmpfs { size })?;
    }
    for name in &spec.runtime_dirs {
        add(format!("--runtime-dir={name}"), &Path::new("/run").join(name), Wish::Own)?;
    }
    for path in &spec.whitelist {
        add(format!("--whitelist={}", path.display()), path, Wish::Keep)?;
    }
    for path in &spec.read_only {
        add(format!("--read-only={}", path.display()), path, Wish::Freeze)?;
    }
    for path in &spec.blacklist {
        add(format!("--blacklist={}", path.display()), path, Wish::Hide)?;
    }
    for path in &spec.noexec {
        add(format!("--noexec={}", path.display()), path, Wish::NoExec)?;
    }
    for (path, content) in &spec.files {
        add(path.display().to_string(), path, Wish::Text { content })?;
    }
    refuse_contradiction(&requests)?;
    Ok(requests)
}

/// Refuses two options for one path of which one takes away what the other is for, or puts something else there.
fn refuse_contradiction(requests: &[Request<'_>]) -> Result<(), Failure> {
    for (index, one) in requests.iter().enumerate() {
        let contradicts = |other: &&Request<'_>| {
            other.path == one.path && (one.wish.contradicts(&other.wish) || other.wish.contradicts(&one.wish))
        };
        if let Some(other) = requests.iter().skip(index + 1).find(contradicts) {
            let message = format!("{} and {} contradict each other", one.option, other.option);
            return Err(Failure::new(Kind::Usage, STAGE, "parse", one.option.as_str(), message)
                .hint("leave one of them out"));
        }
    }
    Ok(())
}

/// The path as text with single slashes; relative ones and `..` are refused, for they mean something else inside.
pub(crate) fn absolute(path: &Path, option: &str) -> Result<String, Failure> {
    let invalid = |why: &str| {
        let message = format!("{option}: the path {why}");
        Failure::new(Kind::Usage, STAGE, "parse", option, message).hint("write it in full")
    };
    if !path.is_absolute() {
        return Err(invalid("does not begin with a slash"));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(invalid("has '..' in it"));
    }
    let clean: PathBuf = path.components().collect();
    text(&clean)
}
