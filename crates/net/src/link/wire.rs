//! `Wire`: a conversation with the kernel's rtnetlink in one network namespace. See rtnetlink(7).

use std::future::Future;
use std::io;
use std::os::fd::BorrowedFd;
use std::pin::pin;
use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::BoxStream;
use nix::sched::{CloneFlags, setns};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::proto::Connection;
use rtnetlink::{Error, Handle, MulticastGroup};
use tokio::runtime::Handle as Runtime;
use tokio::time::{Instant, timeout_at};

use crate::backend::{Failure, Kind};

/// One item for every message that came without being asked for.
pub type Events = BoxStream<'static, ()>;

/// How long the kernel may take with what it does in its own time.
const PATIENCE: Duration = Duration::from_secs(1);

/// A netlink socket with what answers and listens on it.
pub struct Wire {
    connection: Connection<RouteNetlinkMessage>,
    handle: Handle,
    events: Events,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl Wire {
    /// In the namespace we are in.
    ///
    /// # Errors
    /// What socket(2) answers.
    pub fn open() -> Result<Self, Failure> {
        Self::connect_to(&[])
    }

    /// In another namespace, where `before` is done first; ours never moves. A socket stays where it was made.
    ///
    /// # Errors
    /// Those of `before`, and what setns(2) and socket(2) answer.
    pub fn open_in(
        netns: BorrowedFd<'_>,
        before: impl FnOnce() -> Result<(), Failure> + Send,
    ) -> Result<Self, Failure> {
        let runtime = Runtime::current();
        within(netns, move || {
            before()?;
            let _inside = runtime.enter();
            Self::open()
        })
    }

    fn connect_to(groups: &[MulticastGroup]) -> Result<Self, Failure> {
        let (connection, handle, messages) =
            rtnetlink::new_multicast_connection(groups).map_err(|error| socket_failed(&error))?;
        Ok(Wire { connection, handle, events: messages.map(|_| ()).boxed() })
    }

    /// Does `work` while the connection is driven beside it, then closes the socket: nothing is left to a task that
    /// would outlive the call.
    ///
    /// # Errors
    /// The work's.
    pub async fn run<T, W>(self, work: impl FnOnce(Handle, Events) -> W) -> Result<T, Failure>
    where
        W: Future<Output = Result<T, Failure>>,
    {
        let work = pin!(work(self.handle, self.events));
        match select(work, self.connection).await {
            Either::Left((result, _)) => result,
            // A request whose connection is gone would look like one that was answered.
            Either::Right(_) => Err(socket_failed(&io::ErrorKind::ConnectionAborted.into())),
        }
    }
}

/// Waits for something that comes with a change of some link, and looks for it at every one; `false` if it does not come
/// within a second.
///
/// # Errors
/// What looking for it answers.
pub async fn wait_until<T>(is_so: impl Fn(Handle) -> T) -> Result<bool, Failure>
where
    T: Future<Output = Result<bool, Failure>>,
{
    let end = Instant::now() + PATIENCE;
    let look = |handle: Handle, mut events: Events| async move {
        // Every event is only a reason to look again: no event can be missed or mistaken for another.
        while !is_so(handle.clone()).await? {
            if !matches!(timeout_at(end, events.next()).await, Ok(Some(()))) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Wire::connect_to(&[MulticastGroup::Link])?.run(look).await
}

/// Does `work` in another network namespace, on a thread that goes there for it and ends.
///
/// # Errors
/// The work's, and what setns(2) answers.
pub(super) fn within<T: Send>(
    netns: BorrowedFd<'_>,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    let failed = |error: io::Error| Failure::call("network", "setns", "the jail's network namespace", &error);
    let work = || {
        setns(netns, CloneFlags::CLONE_NEWNET).map_err(|errno| failed(errno.into()))?;
        work()
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work).map_err(failed)?;
        thread.join().unwrap_or_else(|_| Err(failed(io::Error::other("the thread panicked"))))
    })
}

fn socket_failed(error: &io::Error) -> Failure {
    Failure::call("network", "socket", "netlink", error)
}

/// The errno in a refusal of the kernel's.
pub fn errno(error: &Error) -> Option<i32> {
    match error {
        Error::NetlinkError(message) => Some(-message.raw_code()),
        _ => None,
    }
}

/// A request that was refused, about `object`: a message of rtnetlink(7) and the user's own option or a link's name.
pub fn refused(message: &'static str, object: impl Into<String>, error: &Error) -> Failure {
    let object = object.into();
    match errno(error) {
        Some(errno) => Failure::call("network", message, object, &io::Error::from_raw_os_error(errno)),
        None => {
            let text = format!("{object}: {message}: {error}");
            Failure::new(Kind::Failed, "network", message, object, text)
        }
    }
}
