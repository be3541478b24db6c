//! A network namespace of a test's own, and what a test does in it: run programs, serve, connect.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::{setsockopt, sockopt::BindToDevice};

use super::Must;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long one is waited for that must not come.
const SILENCE: Duration = Duration::from_millis(700);

/// A network namespace of a test's own.
#[derive(Debug)]
pub struct Net {
    file: File,
}

impl AsFd for Net {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Net {
    /// A new network namespace with its loopback up. Nothing stays of it once it is dropped and its servers ended.
    pub fn made() -> Net {
        let make = || {
            unshare(CloneFlags::CLONE_NEWNET).must();
            File::open("/proc/thread-self/ns/net").must()
        };
        let net = Net { file: thread::spawn(make).join().must() };
        net.sh("ip link set lo up; echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
             echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables || true");
        net
    }

    /// One that another process made, by its [`Net::path`].
    pub fn at(path: &str) -> Net {
        Net { file: File::open(path).must() }
    }

    /// Runs `work` on a thread inside.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = || {
                setns(self.as_fd(), CloneFlags::CLONE_NEWNET).must();
                work()
            };
            scope.spawn(inside).join().must()
        })
    }

    /// The path under which other programs of this test find the namespace.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd())
    }

    /// Runs a shell script that must succeed; answers what it printed.
    pub fn sh(&self, script: &str) -> String {
        let output = self.enter(|| Command::new("sh").args(["-ec", script]).output().must());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {said}");
        String::from_utf8(output.stdout).must()
    }

    /// Answers each TCP connection with the client's address as the server sees it.
    pub fn serve_tcp(&self, address: &str) {
        let listener = self.enter(|| TcpListener::bind(address).must());
        thread::spawn(move || {
            while let Ok((mut stream, peer)) = listener.accept() {
                let _ = stream.write_all(peer.ip().to_string().as_bytes());
            }
        });
    }

    /// Answers each UDP datagram with the client's address as the server sees it.
    pub fn serve_udp(&self, address: &str) {
        let socket = self.enter(|| UdpSocket::bind(address).must());
        thread::spawn(move || {
            let mut buffer = [0; 64];
            while let Ok((_, peer)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(peer.ip().to_string().as_bytes(), peer);
            }
        });
    }

    /// The answer of a TCP server.
    pub fn tcp(&self, address: &str) -> io::Result<String> {
        let address: SocketAddr = address.parse().must();
        self.enter(|| {
            let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        })
    }

    /// Whether a TCP server is out of reach and nobody says so.
    pub fn is_not_answered(&self, address: &str) -> bool {
        let address: SocketAddr = address.parse().must();
        let result = self.enter(|| TcpStream::connect_timeout(&address, SILENCE));
        result.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
    }

    /// The answer of a UDP server.
    pub fn udp(&self, address: &str) -> io::Result<String> {
        self.udp_from("0.0.0.0:0", address)
    }

    /// The answer of a UDP server, asked from this address.
    pub fn udp_from(&self, from: &str, address: &str) -> io::Result<String> {
        self.enter(|| {
            let socket = UdpSocket::bind(from)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.connect(address)?;
            socket.send(b"?")?;
            let mut buffer = [0; 64];
            let length = socket.recv(&mut buffer)?;
            Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
        })
    }

    /// Sends one datagram, if it may.
    pub fn say(&self, from: &str, address: &str) {
        self.enter(|| {
            let socket = UdpSocket::bind(from).must();
            let _ = socket.send_to(b"?", address);
        });
    }

    /// Sends one datagram out of eth0, whatever the routes say.
    pub fn shout(&self, address: &str) {
        self.enter(|| {
            let socket = UdpSocket::bind("0.0.0.0:0").must();
            socket.set_broadcast(true).must();
            setsockopt(&socket, BindToDevice, &"eth0".into()).must();
            let _ = socket.send_to(b"?", address);
        });
    }

    /// Takes datagrams at an address from now on; the receiver hears where each came from.
    pub fn listen_udp(&self, address: &str) -> mpsc::Receiver<SocketAddr> {
        let socket = self.enter(|| UdpSocket::bind(address).must());
        let (heard, hear) = mpsc::channel();
        thread::spawn(move || {
            while let Ok((_, peer)) = socket.recv_from(&mut [0; 64]) {
                if heard.send(peer).is_err() {
                    return;
                }
            }
        });
        hear
    }
}

/// What must not happen within a moment.
pub(super) fn nothing_from(hear: &mpsc::Receiver<SocketAddr>) -> bool {
    hear.recv_timeout(Duration::from_millis(400)).is_err()
}

/// What must happen, however busy the machine is.
pub(super) fn something_from(hear: &mpsc::Receiver<SocketAddr>) -> bool {
    hear.recv_timeout(Duration::from_secs(20)).is_ok()
}

/// Whether a connection was refused by a firewall that says so, and not by silence.
pub(super) fn refused_at_once<T>(result: io::Result<T>) -> bool {
    let prohibited = [Some(libc::EHOSTUNREACH), Some(libc::EACCES)]; // IPv4, IPv6
    result.is_err_and(|error| prohibited.contains(&error.raw_os_error()))
}
