//! What of `jail`'s own no jail may write to: whoever starts, joins or ends one believes what is there, and loads it.

use std::collections::HashSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jail_fs::ViewSpec;
use jail_sys::{Failure, Kind};

use crate::machine::RUN;
use crate::place::Place;

/// Refuses a view that is writable where our state, networks, plugins or program are: in them, or above.
///
/// Directories are told by device and number, so that no second name of one is missed. `--writable-etc` says by its
/// name that it is all of /etc, where networks are.
pub(crate) fn refuse_ours(view: &ViewSpec, place: &Place) -> Result<(), Failure> {
    let mut writable = view.writable().peekable();
    if writable.peek().is_none() {
        return Ok(());
    }
    let ours: Vec<_> = ours(place).into_iter().map(|(what, dir)| (what, identities(&dir), dir)).collect();
    for granted in writable {
        let source = identities(&granted.source);
        let clash = ours.iter().find(|(what, above, dir)| {
            let by_name = *what == NETWORKS && granted.option == "--writable-etc";
            let holds = |identities: &[Identity], one: &Path| {
                identity(one).is_some_and(|one| identities.contains(&one))
            };
            !by_name && (holds(above, &granted.source) || holds(&source, dir))
        });
        if let Some((what, _, dir)) = clash {
            let option = granted.option;
            let message =
                format!("{option}: {what} is in {}, and who may write there ends up outside", dir.display());
            return Err(Failure::new(Kind::Denied, "filesystem", "grant", option, message)
                .hint("grant it read-only, or only what is needed of it"));
        }
    }
    Ok(())
}

const NETWORKS: &str = "what networks are called";

fn ours(place: &Place) -> Vec<(&'static str, PathBuf)> {
    let state = "the state of jails";
    let mut all =
        vec![(state, place.state_dir.clone()), (state, RUN.into()), (NETWORKS, place.networks.clone())];
    all.extend(place.plugin_dirs.iter().map(|dir| ("what is loaded as a plugin", dir.clone())));
    let program = std::env::current_exe().ok();
    all.extend(program.iter().filter_map(|program| Some(("jail itself", program.parent()?.to_owned()))));
    let mut seen = HashSet::new();
    all.retain(|(_, dir)| seen.insert(dir.clone()));
    all
}

/// A directory, whatever its name.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    path.metadata().ok().map(|about: Metadata| (about.dev(), about.ino()))
}

/// Those of a path and of all above it: what is not there yet has those of what it will be in.
fn identities(path: &Path) -> Vec<Identity> {
    let path = path.ancestors().find_map(|there| there.canonicalize().ok());
    path.iter().flat_map(|path| path.ancestors()).filter_map(identity).collect()
}
