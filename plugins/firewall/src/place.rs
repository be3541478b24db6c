//! `Place`: where a backend finds its programs and keeps its locks.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where a backend finds its programs and keeps its locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directories of programs, the first before the others.
    pub programs: Vec<PathBuf>,
    /// The directory of locks; it is made when it is missing.
    pub run: PathBuf,
}

impl Default for Place {
    /// Programs in PATH and where Debian puts those of root; locks in `/run/jail`.
    fn default() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
        Place { programs: std::env::split_paths(&path).chain(usual).collect(), run: "/run/jail".into() }
    }
}

impl Place {
    /// The file of a program, if there is one.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        self.programs.iter().map(|dir| dir.join(program)).find(|file| is_program(file))
    }
}

fn is_program(file: &Path) -> bool {
    file.is_absolute()
        && file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
