//! Makes the plugins the tests load: C sources compiled here, and the package's own examples.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use jail_net::model::{Egress, JailId};
use jail_net::plugin::sdk::Request;
use tempfile::TempDir;

/// A directory that may hold plugins.
pub(crate) fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// `bad.c` with what is wrong with it, a macro `NAME=VALUE` each, as `libjail_bad.so`.
pub(crate) fn bad(directory: &TempDir, wrong: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plugin/bad.c");
    compile(&source, wrong, &directory.path().join("libjail_bad.so"))
}

/// Compiles `source` against the header, with no warning allowed.
pub(crate) fn compile(source: &Path, macros: &[&str], library: &Path) -> PathBuf {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../include");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([library, source])
        .arg("-I")
        .arg(include)
        .args(macros.iter().map(|each| format!("-D{each}")))
        .status()
        .unwrap();
    assert!(compiled.success(), "{source:?} with {macros:?} does not compile");
    fs::set_permissions(library, fs::Permissions::from_mode(0o755)).unwrap();
    library.to_owned()
}

/// An example of this package, which `cargo test` builds beside the tests.
pub(crate) fn example(file: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples").join(file);
    assert!(path.exists(), "{path:?} is missing: cargo build -p jail-net --examples");
    path
}

/// A copy of an example plugin in `directory`: the build tree may be one that others can write.
pub(crate) fn copied(directory: &TempDir, file: &str) -> PathBuf {
    let copy = directory.path().join(file);
    fs::copy(example(file), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    copy
}

/// What a jail without interfaces asks for.
pub(crate) fn request() -> Request {
    Request {
        jail: jail(),
        name: "web".into(),
        attachments: Vec::new(),
        publish: vec!["80".parse().unwrap()],
        egress: Egress::Deny,
        off_limits: Vec::new(),
        published: Vec::new(),
        forwards: Vec::new(),
    }
}

pub(crate) fn jail() -> JailId {
    "3fa04b11c2d9".parse().unwrap()
}
