//! `--keep-fd`: descriptors of the caller's that a jail's command finds open.

use std::fs;
use std::io;
use std::os::fd::RawFd;

use jail_filter::OpenFile;
use jail_sys::{Failure, Kind, printable};
use serde::{Deserialize, Serialize};

/// The option.
const OPTION: &str = "--keep-fd";

/// The lowest that is closed unless it is named: above standard input, output and error.
const FIRST: RawFd = 3;

/// A descriptor of the caller's that the jail's command finds open, under the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFd {
    /// Its number.
    number: RawFd,
    /// What it is, as /proc shows it: a path, or the kernel's name of a pipe or a socket.
    file: String,
    /// Whether it is open for writing.
    writable: bool,
    /// Whether it is a file of a file system's, which has a mode.
    regular: bool,
}

impl KeptFd {
    /// Reads numbers, and looks at what is open under them. To be called before anything else is opened, or the number of
    /// a descriptor that the user has not opened may be that of one of ours.
    ///
    /// # Errors
    /// [`Kind::Usage`] for what is no number of an open descriptor above 2, is there twice, or is a directory.
    pub fn list<'a>(numbers: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>, Failure> {
        let mut list: Vec<KeptFd> = Vec::new();
        for text in numbers {
            let kept = KeptFd::look(text)?;
            if list.contains(&kept) {
                return Err(refuse(text, "it is named twice", "name it once"));
            }
            list.push(kept);
        }
        Ok(list)
    }

    fn look(text: &str) -> Result<Self, Failure> {
        let number = match text.parse::<RawFd>() {
            _ if text == "all" => {
                let hint = "name those that the command is to have, like --keep-fd=7,8";
                return Err(refuse(text, "what is open by accident would come along", hint));
            }
            Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => number,
            _ => {
                let why = "it is not a number of a descriptor";
                return Err(refuse(text, why, "name those above 2 that are open, like --keep-fd=7,8"));
            }
        };
        if number < FIRST {
            let why = "standard input, output and error are the command's in any case";
            return Err(refuse(text, why, "leave it out"));
        }
        let path = format!("/proc/self/fd/{number}");
        let open = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => {
                let hint = format!("open it before, as a shell does with {number}<FILE");
                refuse(text, "no such descriptor is open", &hint)
            }
            _ => Failure::call("command", "readlink", format!("{OPTION}={text}"), &error),
        };
        let file = printable(&fs::read_link(&path).map_err(open)?.to_string_lossy());
        // From a directory of the host's the whole host can be seen.
        let about = fs::metadata(&path).map_err(open)?;
        if about.is_dir() {
            let why = format!("it is a directory, {file}, by which the jail could leave what it sees");
            return Err(refuse(text, &why, &format!("show the directory to it: --grant={file}")));
        }
        let writable = is_writable(number).map_err(open)?;
        Ok(KeptFd { number, file, writable, regular: about.is_file() })
    }

    /// Its number.
    pub fn number(&self) -> RawFd {
        self.number
    }

    /// What may be done by it, for the wall behind the mounts: opened anew it is no more than it was.
    pub(crate) fn opened(&self) -> OpenFile {
        OpenFile { number: self.number, writable: self.writable }
    }

    /// The option, where the mode of its file could be changed by the file's owner.
    pub(crate) fn with_mode(&self) -> Option<String> {
        self.regular.then(|| format!("{OPTION}={}", self.number))
    }

    /// What a plan says of it.
    pub(crate) fn line(&self) -> String {
        let access = if self.writable { "" } else { ", to be read" };
        format!("{}: {}{access}", self.number, self.file)
    }
}

/// The access mode of a descriptor of ours, by the flags in /proc/PID/fdinfo, which are octal: see proc(5).
fn is_writable(number: RawFd) -> io::Result<bool> {
    let about = fs::read_to_string(format!("/proc/self/fdinfo/{number}"))?;
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    let flags = flags.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(flags & libc::O_ACCMODE != libc::O_RDONLY)
}

fn refuse(text: &str, why: &str, hint: &str) -> Failure {
    let option = format!("{OPTION}={text}");
    let message = format!("{option}: {why}");
    Failure::new(Kind::Usage, "command", "parse", option, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use super::*;

    fn why(numbers: &[&str]) -> String {
        let failure = KeptFd::list(numbers.iter().copied()).unwrap_err();
        assert_eq!(failure.kind, Kind::Usage);
        failure.to_string()
    }

    #[test]
    fn what_is_open_is_known_by_what_it_is() {
        let (reader, _writer) = io::pipe().unwrap();
        let number = reader.as_raw_fd();
        let list = KeptFd::list([number.to_string().as_str()]).unwrap();
        assert_eq!(list[0].number(), number);
        assert!(list[0].line().starts_with(&format!("{number}: pipe:")), "{list:?}");
    }

    #[test]
    fn what_cannot_be_kept_is_refused_in_one_sentence() {
        for (text, word) in [
            ("all", "by accident"),
            ("x", "not a number"),
            ("-1", "not a number"),
            ("+7", "not a number"),
            ("99999999999", "not a number"),
            ("2147483647", "no such descriptor"),
            ("0", "in any case"),
        ] {
            assert!(why(&[text]).contains(word), "{text}: {}", why(&[text]));
        }
        let root = File::open("/").unwrap();
        assert!(why(&[&root.as_raw_fd().to_string()]).contains("--grant=/"));
        let file = File::open("/etc/passwd").unwrap();
        let number = file.as_raw_fd().to_string();
        assert!(why(&[&number, &number]).contains("twice"));
    }
}
