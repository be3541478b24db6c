//! `Failure`: the one error of every stage, as data. What it says to a person is built here and nowhere else.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What kind of failure it is, shaped by what a caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// What was typed makes no sense on any host: malformed, unknown words, options that contradict each other.
    Usage,
    /// What was asked for makes no sense on this one, or what is there cannot be read.
    Invalid,
    /// Something that was named is not there.
    NotFound,
    /// Something that was asked for belongs to somebody else: a name, an address, a port.
    Conflict,
    /// The caller may not do this.
    Denied,
    /// This host, kernel or backend cannot do it.
    Unsupported,
    /// A step that should have worked did not.
    Failed,
}

/// Why something could not be done: which stage, which operation, on what, with which errno, and what to do.
///
/// `message` is the sentence a person reads, without the remedy; `hint` is the remedy, or empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// What a caller can do about it.
    pub kind: Kind,
    /// The stage it happened in: `namespace`, `filesystem`, `filter`, `network`, `command`, `state`.
    pub stage: Cow<'static, str>,
    /// The system call or step, as a man page or our documentation names it: `mount_setattr`, `lease address`.
    pub operation: Cow<'static, str>,
    /// The user's own option or path it was about: `--grant=/srv/www`.
    pub object: String,
    /// The kernel's answer, a number of errno(3), where there was one.
    pub errno: Option<i32>,
    /// What happened, as a sentence without a full stop.
    pub message: String,
    /// What to do about it; empty when there is nothing to say.
    pub hint: String,
}

impl Failure {
    /// A failure that has no errno: `message` says everything.
    pub fn new(
        kind: Kind,
        stage: impl Into<Cow<'static, str>>,
        operation: impl Into<Cow<'static, str>>,
        object: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Failure {
            kind,
            stage: stage.into(),
            operation: operation.into(),
            object: object.into(),
            errno: None,
            message: message.into(),
            hint: String::new(),
        }
    }

    /// A system call that failed: the message is built from the operation, the object and the errno, and so is the
    /// remedy where one errno has the same for every caller.
    pub fn call(
        stage: impl Into<Cow<'static, str>>,
        operation: impl Into<Cow<'static, str>>,
        object: impl Into<String>,
        error: &io::Error,
    ) -> Self {
        let (operation, object) = (operation.into(), object.into());
        let errno = error.raw_os_error();
        let kind = match errno {
            Some(libc::ENOENT) => Kind::NotFound,
            Some(libc::EPERM | libc::EACCES) => Kind::Denied,
            Some(libc::ENOSYS | libc::EOPNOTSUPP) => Kind::Unsupported,
            Some(libc::EADDRINUSE | libc::EEXIST) => Kind::Conflict,
            _ => Kind::Failed,
        };
        let message = format!("{object}: {operation}: {}", describe(error));
        let hint = remedy(error, &operation, &object);
        Failure { errno, hint, ..Failure::new(kind, stage, operation, object, message) }
    }

    /// The same failure with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// What to do about an answer of the kernel's that has one remedy whoever gets it; empty for any other. By its kind and not
/// by its number, which is lost where a library has wrapped it to add a path.
fn remedy(error: &io::Error, operation: &str, object: &str) -> String {
    use io::ErrorKind::{FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let is_path = object.starts_with('/');
    let directory = Path::new(object).parent().unwrap_or(Path::new("/")).display();
    match error.kind() {
        _ if error.raw_os_error() == Some(libc::ENOSYS) => {
            "it takes Linux 5.15; a filter on system calls around jail, like a container's, may hide the call".to_owned()
        }
        PermissionDenied if operation == "memfd_create" => {
            "let programs in memory be executed: sysctl vm.memfd_noexec=1 (or 0)".to_owned()
        }
        FileTooLarge => "let it write larger files: ulimit -f".to_owned(),
        PermissionDenied if is_path || error.raw_os_error() == Some(libc::EPERM) => {
            "run it as the host's own root with all its capabilities, not as that of a user namespace or a container"
                .to_owned()
        }
        StorageFull | QuotaExceeded if is_path => {
            format!("make room there: df {directory} and df -i {directory} show what is full")
        }
        ReadOnlyFilesystem if is_path => {
            format!("make it writable: findmnt -T {directory} shows what is mounted there")
        }
        _ => String::new(),
    }
}

/// The error's own words, without the `(os error N)` that std adds.
fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_remedy_everywhere_is_told_with_it() {
        let told = |object: &str, errno| {
            Failure::call("state", "open", object, &io::Error::from_raw_os_error(errno)).hint
        };
        let full = "make room there: df /run/jail and df -i /run/jail show what is full";
        assert_eq!(told("/run/jail/lock", libc::ENOSPC), full);
        assert_eq!(told("/run/jail/lock", libc::EDQUOT), full);
        assert!(told("/run/jail/lock", libc::EROFS).starts_with("make it writable: findmnt -T /run/jail"));
        assert!(told("user namespace 1+2", libc::EPERM).contains("the host's own root"));
        assert!(told("/run/jail/lock", libc::EFBIG).contains("ulimit -f"));
        assert!(told("/usr", libc::ENOSYS).contains("Linux 5.15"));
        assert!(told("/run/jail/jails", libc::EACCES).contains("the host's own root"));
        for errno in [libc::ENOSPC, libc::EROFS, libc::EACCES] {
            assert_eq!(told("--grant=/srv", errno), "");
        }
        assert_eq!(told("/run/jail/lock", libc::EIO), "");
        let wrapped = io::Error::new(io::ErrorKind::StorageFull, "no room at path \"/run/jail/new\"");
        assert_eq!(Failure::call("state", "write", "/run/jail/lock", &wrapped).hint, full);
    }

    #[test]
    fn a_failed_call_reads_as_one_sentence_with_the_users_own_words() {
        let error = io::Error::from_raw_os_error(libc::ENOENT);
        let failure = Failure::call("filesystem", "open_tree", "--grant=/srv/www", &error)
            .hint("create the directory first");
        assert_eq!(failure.errno, Some(libc::ENOENT));
        assert_eq!(failure.kind, Kind::NotFound);
        assert_eq!(
            failure.to_string(),
            "--grant=/srv/www: open_tree: No such file or directory; create the directory first"
        );
    }
}
