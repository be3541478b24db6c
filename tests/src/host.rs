//! `Host`: a machine of its own, held by a process that ends with ours, and commands run on it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::{Firewall, Output, Running};

/// No command of a test takes this long, in seconds: a hang is a failure, not a wait.
const DEADLINE: &str = "60";

/// Where the host has what was built: nothing that a test does to `/root` or `/home` hides it.
const BUILT: &str = "/run/built";

/// Where a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the host.
    Host,
    /// On the outside client.
    Client,
    /// On the machine in the LAN.
    Lan,
}

/// A machine of its own, with a client and a LAN.
#[derive(Debug)]
pub struct Host {
    /// `unshare`, which waits for the machine's first process.
    holder: Child,
    /// The machine's first process, as we see it.
    pid: u32,
    firewall: Firewall,
}

impl Host {
    /// Makes one.
    ///
    /// Its last process reads a pipe that we hold: end of file, and the machine with all that runs on it is gone.
    #[track_caller]
    pub fn new() -> Host {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/host");
        let mut holder = Command::new(script)
            .args(["sh", "-ec", "mkdir $1; mount --bind \"$0\" $1; echo ready; exec cat"])
            .args([built().as_os_str(), BUILT.as_ref()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{script}: {error}"));
        let mut line = String::new();
        let said = holder.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        assert_eq!(line, "ready\n", "no host could be made (is this root?): {said:?}");
        let pid = child_of(holder.id()).unwrap_or_else(|| panic!("the host's first process is gone"));
        Host { holder, pid, firewall: Firewall::Nft }
    }

    /// Makes one whose jails have their rules by this firewall.
    #[track_caller]
    pub fn with(firewall: Firewall) -> Host {
        let mut host = Host::new();
        host.firewall = firewall;
        host.sh(&firewall.choose(BUILT)).succeeds();
        host
    }

    /// What its jails have their rules by.
    pub fn firewall(&self) -> Firewall {
        self.firewall
    }

    /// Runs a script on the host, to its end.
    #[track_caller]
    pub fn sh(&self, script: &str) -> Output {
        self.run(Place::Host, script)
    }

    /// Runs a script on the outside client, to its end.
    #[track_caller]
    pub fn client(&self, script: &str) -> Output {
        self.run(Place::Client, script)
    }

    /// Runs a script on the machine in the LAN, to its end.
    #[track_caller]
    pub fn lan(&self, script: &str) -> Output {
        self.run(Place::Lan, script)
    }

    /// Runs `jail` on the host with these arguments, as a shell takes them.
    #[track_caller]
    pub fn jail(&self, arguments: &str) -> Output {
        self.sh(&format!("jail {arguments}"))
    }

    /// Gives the host an ordinary user, with the directories that a login makes.
    #[track_caller]
    pub fn add_user(&self) {
        self.sh("echo user:x:1234:1234::/home/user:/bin/bash >>/etc/passwd; echo user:x:1234: >>/etc/group
                 install -d -m 700 -o 1234 -g 1234 /run/user/1234 /srv/user")
            .succeeds();
    }

    /// Runs a script on the host as that user, to its end.
    #[track_caller]
    pub fn as_user(&self, script: &str) -> Output {
        self.sh(&by_user(script))
    }

    /// Runs a script somewhere, to its end.
    #[track_caller]
    pub fn run(&self, place: Place, script: &str) -> Output {
        let mut command = self.command(place, script);
        let output = command.stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("{script}: {error}"));
        Output {
            command: script.to_owned(),
            status: code(output.status),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts a script on the host.
    #[track_caller]
    pub fn start(&self, script: &str) -> Running {
        Running::start(self.command(Place::Host, script), script)
    }

    /// Runs a script on the host again and again until it exits with 0, for what is ready when it is ready.
    #[track_caller]
    pub fn until(&self, script: &str) -> Output {
        self.until_at(Place::Host, script)
    }

    /// As [`Host::until`], somewhere.
    #[track_caller]
    pub fn until_at(&self, place: Place, script: &str) -> Output {
        let begin = Instant::now();
        loop {
            let output = self.run(place, script);
            if output.status == 0 {
                return output;
            }
            assert!(begin.elapsed() < Duration::from_secs(10), "never came true: {output}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Writes a file on the host, with its directories.
    #[track_caller]
    pub fn write(&self, path: &str, text: &str) {
        let script = format!("mkdir -p \"$(dirname '{path}')\" && cat >'{path}'");
        let mut running = self.start(&script);
        running.input(text);
        running.wait().succeeds();
    }

    /// A server at a place that answers every HTTP request to `port` with `text`; it listens when this returns.
    #[track_caller]
    pub fn serve(&self, place: Place, port: u16, text: &str) {
        let dir = format!("/run/serve/{place:?}-{port}");
        let config = format!(
            "user root; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log; events {{}}\n\
             http {{ access_log off; client_body_temp_path {dir}/t; proxy_temp_path {dir}/t; \
             fastcgi_temp_path {dir}/t; uwsgi_temp_path {dir}/t; scgi_temp_path {dir}/t;\n\
             server {{ listen {port}; listen [::]:{port}; return 200 '{text}\\n'; }} }}\n"
        );
        self.write(&format!("{dir}/nginx.conf"), &config);
        self.run(place, &format!("nginx -e {dir}/error.log -c {dir}/nginx.conf")).succeeds();
    }

    /// The command that runs a script at a place.
    fn command(&self, place: Place, script: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--mount", "--net", "--pid", "--ipc", "--uts", "--target", &self.pid.to_string(), "--"])
            .args(["timeout", "--foreground", "--kill-after=5", DEADLINE]);
        match place {
            Place::Host => {}
            Place::Client => drop(command.args(["ip", "netns", "exec", "client"])),
            Place::Lan => drop(command.args(["ip", "netns", "exec", "lan"])),
        }
        let path = format!("{BUILT}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.args(["bash", "-c", script]).env_clear().envs([
            ("PATH", path.as_str()),
            ("HOME", "/root"),
            ("LANG", "C.UTF-8"),
            ("TERM", "dumb"),
        ]);
        command
    }
}

impl Default for Host {
    fn default() -> Self {
        Host::new()
    }
}

impl Drop for Host {
    /// Waits for the machine to be gone.
    fn drop(&mut self) {
        if let Some(mut lifeline) = self.holder.stdin.take() {
            let _ = lifeline.flush();
        }
        let _ = self.holder.wait();
    }
}

/// What the host runs so that its user runs this script.
pub fn by_user(script: &str) -> String {
    let quoted = script.replace('\'', r"'\''");
    format!(
        "cd /; exec setpriv --reuid=1234 --regid=1234 --clear-groups env HOME=/srv/user \
         XDG_RUNTIME_DIR=/run/user/1234 bash -c '{quoted}'"
    )
}

/// The directory `jail` was built into: ours, without `deps`. A host has it in its PATH.
pub fn built() -> PathBuf {
    let ours = std::env::current_exe().unwrap_or_else(|error| panic!("/proc/self/exe: {error}"));
    let dir = ours.ancestors().nth(2).unwrap_or_else(|| panic!("{} has no directory", ours.display()));
    assert!(dir.join("jail").exists(), "{} is not built: see `make test`", dir.join("jail").display());
    dir.to_owned()
}

/// The only child of a process.
pub(crate) fn child_of(pid: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// An exit status as a shell tells it.
pub(crate) fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
