//! `Running`: a command that has been started on a host and not yet ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::Output;
use crate::host::code;

/// A command that has been started.
#[derive(Debug)]
pub struct Running {
    script: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    #[track_caller]
    pub(crate) fn start(mut command: Command, script: &str) -> Running {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("{script}: {error}"));
        let stdout = child.stdout.take().unwrap_or_else(|| panic!("{script}: no pipe"));
        Running { script: script.to_owned(), child, stdout: BufReader::new(stdout) }
    }

    /// The next line of its standard output, without the newline; waits for it.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            let stderr = self.complaint();
            panic!("{}: no line came: {stderr}", self.script);
        }
        line.trim_end().to_owned()
    }

    /// Gives it this to read, and then end of file.
    #[track_caller]
    pub fn input(&mut self, text: &str) {
        let mut stdin = self.child.stdin.take().unwrap_or_else(|| panic!("{}: no input left", self.script));
        stdin.write_all(text.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", self.script));
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Output {
        drop(self.child.stdin.take());
        let mut stdout = String::new();
        let read = self.stdout.read_to_string(&mut stdout);
        let stderr = self.complaint();
        let status = self.child.wait();
        match (read, status) {
            (Ok(_), Ok(status)) => {
                Output { command: self.script.clone(), status: code(status), stdout, stderr }
            }
            (read, status) => panic!("{}: {read:?} {status:?}", self.script),
        }
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let _ = stderr.read_to_string(&mut text);
        }
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
