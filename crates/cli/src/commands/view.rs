//! The options about files, as a view. A path of the host's may be relative to where `jail` is called; a path that is
//! the jail's alone is written in full.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use jail_core::spec::{Bind, Grant, Tmpfs, ViewSpec};
use jail_core::{Failure, Kind};

use crate::args::{BARE, Files};

/// What was typed, as a view.
pub(super) fn view_of(given: &Files) -> Result<ViewSpec, Failure> {
    let mut view = ViewSpec::default();
    for text in &given.grant {
        view.grants.push(grant_of(text)?);
    }
    for path in &given.read_write {
        view.grants.push(Grant { path: of_host("--read-write", path)?, writable: true });
    }
    for text in &given.bind {
        view.binds.push(bind_of(text)?);
    }
    for path in &given.read_only {
        view.read_only.push(of_host("--read-only", path)?);
    }
    for text in &given.tmpfs {
        view.tmpfs.push(tmpfs_of(text)?);
    }
    for path in &given.blacklist {
        view.blacklist.push(of_host("--blacklist", path)?);
    }
    for path in &given.whitelist {
        view.whitelist.push(of_host("--whitelist", path)?);
    }
    for path in &given.noexec {
        view.noexec.push(of_host("--noexec", path)?);
    }
    view.private = private_of(&given.private, &view)?;
    view.root = given.root.as_deref().map(|dir| of_host("--root", dir)).transpose()?;
    view.runtime_dirs.clone_from(&given.runtime_dir);
    (view.writable_var, view.writable_etc) = (given.writable_var, given.writable_etc);
    Ok(view)
}

/// A bare `--private` is the default. A directory that is granted as well would be seen in two places.
fn private_of(given: &[OsString], view: &ViewSpec) -> Result<Option<PathBuf>, Failure> {
    let mut dirs = given.iter().filter(|dir| *dir != BARE).map(Path::new);
    let Some(dir) = dirs.next() else { return Ok(None) };
    let (dir, object) = (of_host("--private", dir)?, format!("--private={}", dir.display()));
    let granted = view.grants.iter().find(|grant| grant.path == dir);
    let other = match (dirs.next(), granted) {
        (Some(other), _) => format!("--private={}", other.display()),
        (None, Some(_)) => format!("--grant={}", dir.display()),
        (None, None) => return Ok(Some(dir)),
    };
    Err(refused(&object, &format!("it and {other} contradict each other")).hint("leave one of them out"))
}

/// `P`, `P:ro` or `P:rw`.
fn grant_of(text: &str) -> Result<Grant, Failure> {
    let (path, writable) = access("--grant", text)?;
    Ok(Grant { path: of_host("--grant", Path::new(path))?, writable })
}

/// `SRC` or `SRC,DST`, with `:ro` or `:rw` behind the last.
fn bind_of(text: &str) -> Result<Bind, Failure> {
    let (paths, writable) = access("--bind", text)?;
    let Some((source, target)) = paths.split_once(',') else {
        let path = of_host("--bind", Path::new(paths))?;
        return Ok(Bind { source: path.clone(), target: path, writable });
    };
    if let Some(suffix) = [":rw", ":ro"].into_iter().find(|suffix| source.ends_with(suffix)) {
        let why = format!("{suffix} stands behind the last path");
        return Err(refused(&format!("--bind={text}"), &why)
            .hint(format!("write it --bind={},{target}{suffix}", source.trim_end_matches(suffix))));
    }
    let source = of_host("--bind", Path::new(source))?;
    Ok(Bind { source, target: inside(&format!("--bind={text}"), Path::new(target))?, writable })
}

/// `D` or `D:size=SIZE`.
fn tmpfs_of(text: &str) -> Result<Tmpfs, Failure> {
    let (target, size) = match text.split_once(":size=") {
        Some((target, size)) => (target, Some(size.to_owned())),
        None => (text, None),
    };
    let target = inside(&format!("--tmpfs={text}"), Path::new(target))?;
    Ok(Tmpfs { target, size })
}

/// What `:ro` or `:rw` at the end says; without one it is read-only. Anything else that stands where one of them would
/// is refused, and not taken for a part of the path's name.
fn access<'a>(option: &str, text: &'a str) -> Result<(&'a str, bool), Failure> {
    match text.rsplit_once(':') {
        Some((path, "rw")) => Ok((path, true)),
        Some((path, "ro")) => Ok((path, false)),
        Some((_, other)) if !other.contains('/') => {
            let why = format!("there is '{other}' where ro or rw is expected");
            Err(refused(&format!("{option}={text}"), &why)
                .hint(format!("a path with a colon in its name takes one of them: {option}={text}:ro")))
        }
        _ => Ok((text, false)),
    }
}

/// A path of the host's, from the caller's current directory on.
fn of_host(option: &str, path: &Path) -> Result<PathBuf, Failure> {
    let object = format!("{option}={}", path.display());
    plain(&object, path)?;
    std::path::absolute(path)
        .map_err(|error| Failure::call("filesystem", "getcwd", object, &error).hint("write the path in full"))
}

/// A path of the jail's, where there is no current directory to begin at.
fn inside(option: &str, path: &Path) -> Result<PathBuf, Failure> {
    plain(option, path)?;
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let why = format!("'{}' is a path inside the jail and does not begin with a slash", path.display());
    Err(refused(option, &why).hint("write it in full"))
}

/// One that climbs up may lead elsewhere inside than on the host, so it is refused rather than guessed at.
fn plain(object: &str, path: &Path) -> Result<(), Failure> {
    if path.as_os_str().is_empty() {
        return Err(refused(object, "there is no path").hint("name one, like /srv/data"));
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(refused(object, "the path has '..' in it").hint("write it in full"));
    }
    Ok(())
}

fn refused(option: &str, why: &str) -> Failure {
    Failure::new(Kind::Usage, "filesystem", "parse", option, format!("{option}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_read_only_unless_it_says_otherwise() {
        let grant = |text: &str| grant_of(text).unwrap();
        assert_eq!(grant("/srv/www"), Grant { path: "/srv/www".into(), writable: false });
        assert_eq!(grant("/srv/www:rw"), Grant { path: "/srv/www".into(), writable: true });
        assert_eq!(grant("/srv/a:b:ro"), Grant { path: "/srv/a:b".into(), writable: false });
        assert_eq!(grant("/srv/a:b/c"), Grant { path: "/srv/a:b/c".into(), writable: false });
        for wrong in ["../x", "", ":rw", "/srv/www:wr", "/srv/www:", "/srv/www:RW"] {
            assert_eq!(grant_of(wrong).unwrap_err().kind, Kind::Usage, "{wrong}");
        }
    }

    #[test]
    fn a_bind_is_read_only_unless_it_says_otherwise_behind_the_last_path() {
        let bind = |text: &str| bind_of(text).unwrap();
        let shown =
            |target: &str, writable| Bind { source: "/srv/a".into(), target: target.into(), writable };
        assert_eq!(bind("/srv/a"), shown("/srv/a", false));
        assert_eq!(bind("/srv/a:rw"), shown("/srv/a", true));
        assert_eq!(bind("/srv/a,/b"), shown("/b", false));
        assert_eq!(bind("/srv/a,/b:ro"), shown("/b", false));
        assert_eq!(bind("/srv/a,/b:rw"), shown("/b", true));
        assert_eq!(bind_of("/srv/a:rw,/b").unwrap_err().hint, "write it --bind=/srv/a,/b:rw");
        for wrong in [",", "/srv/a,", ",/b", "/srv/a,b", "/srv/a,/b:x"] {
            assert_eq!(bind_of(wrong).unwrap_err().kind, Kind::Usage, "{wrong}");
        }
    }

    #[test]
    fn a_path_of_the_hosts_may_be_relative_and_one_inside_may_not() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(grant_of("data").unwrap().path, here.join("data"));
        assert_eq!(bind_of("data,/b").unwrap().source, here.join("data"));
        assert_eq!(
            tmpfs_of("data:size=1m").unwrap_err().to_string(),
            "--tmpfs=data:size=1m: 'data' is a path inside the jail and does not begin with a slash; write it in full"
        );
    }
}
