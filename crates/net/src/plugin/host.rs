//! The host's half: `Plugin` is a `Backend` whose every call runs on a thread of its own, with a deadline.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use jail_sys::Failure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::library::Library;
use super::message::{AttachRequest, DetachRequest, Envelope, GcRequest, Method, NetworkOfRequest, Nothing};
use crate::backend::{
    Actions, Attached, Backend, Description, Detach, Drift, Reaped, Request, Support, Undo,
};
use crate::model::{JailId, Network};

/// A backend that lives in a shared library. Made by [`load`](super::load).
///
/// Its calls need a tokio runtime with time enabled, of any flavour, and never block it. A plugin that does not answer
/// within its deadline is not called again in this process: every later call answers the same failure.
///
/// Dropping the future of a call does not end the call, which nothing could: the next call waits for its end first, so
/// that a `detach` never races with the `attach` it undoes.
#[derive(Debug)]
pub struct Plugin {
    library: Arc<Library>,
    description: Description,
    deadline: Duration,
    /// Calls whose future was dropped before they ended.
    abandoned: Mutex<Vec<Answer>>,
    /// Held by who waits for those: the others then wait too.
    settling: tokio::sync::Mutex<()>,
}

/// A call that runs, and where its answer will come.
type Answer = (Method, oneshot::Receiver<Result<Vec<u8>, Failure>>);

impl Plugin {
    pub(super) fn new(library: Arc<Library>, description: Description, deadline: Duration) -> Plugin {
        Plugin {
            library,
            description,
            deadline,
            abandoned: Mutex::default(),
            settling: tokio::sync::Mutex::default(),
        }
    }

    /// The file it was loaded from.
    pub fn path(&self) -> &std::path::Path {
        self.library.path()
    }

    async fn ask<R: DeserializeOwned>(
        &self,
        method: Method,
        request: &(impl Serialize + Sync),
        netns: Option<BorrowedFd<'_>>,
    ) -> Result<R, Failure> {
        let failed = |what| {
            let object = self.path().display().to_string();
            move |error: std::io::Error| Failure::call("network", what, object, &error)
        };
        self.settle().await?;
        self.library.usable()?;
        let request =
            serde_json::to_vec(request).map_err(|error| failed("write the request")(error.into()))?;
        // The thread has a descriptor of its own: ours may be closed before it ends.
        let netns = netns.map(|netns| netns.try_clone_to_owned()).transpose().map_err(failed("dup"))?;
        let answer = self.start(method, request, netns).map_err(failed("start a thread"))?;
        let reply = Waiting { plugin: self, answer: Some(answer) }.reply().await?;
        believe(&self.library, method, &reply)
    }

    /// Starts the call on a thread of its own: tokio's blocking pool would keep the runtime from ending if it hangs.
    fn start(&self, method: Method, request: Vec<u8>, netns: Option<OwnedFd>) -> std::io::Result<Answer> {
        let (answer, answered) = oneshot::channel();
        let library = Arc::clone(&self.library);
        let name = format!("{} {}", self.description.name, method.name());
        thread::Builder::new().name(name).spawn(move || {
            let reply = library.call(method, &request, netns.as_ref().map(std::os::fd::AsFd::as_fd));
            drop(netns); // closed before the answer is out: the jail may end right after it
            let _nobody_waits = answer.send(reply);
        })?;
        Ok((method, answered))
    }

    /// Waits for the calls that were abandoned.
    async fn settle(&self) -> Result<(), Failure> {
        let _turn = self.settling.lock().await;
        loop {
            let Some(answer) = self.abandoned.lock().unwrap_or_else(PoisonError::into_inner).pop() else {
                return Ok(());
            };
            let ended = Waiting { plugin: self, answer: Some(answer) }.reply().await;
            drop(ended); // nobody asks any more what it answered
            self.library.usable()?;
        }
    }
}

/// Waits for a call; when dropped before that ended, the call counts as abandoned.
struct Waiting<'a> {
    plugin: &'a Plugin,
    answer: Option<Answer>,
}

impl Waiting<'_> {
    async fn reply(mut self) -> Result<Vec<u8>, Failure> {
        let (plugin, Some((method, answered))) = (self.plugin, &mut self.answer) else {
            return Ok(Vec::new());
        };
        let method = *method;
        let ended = timeout(plugin.deadline, answered).await;
        self.answer = None;
        match ended {
            Ok(Ok(reply)) => reply,
            Ok(Err(_closed)) => {
                Err(plugin.library.misbehaved(method, "ended its thread instead of an answer"))
            }
            Err(_elapsed) => {
                let within = seconds(plugin.deadline);
                let why = plugin.library.misbehaved(method, &format!("gave no answer within {within}"));
                Err(plugin.library.give_up(why.hint("see what holds it up: this program asks it no more")))
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            self.plugin.abandoned.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        }
    }
}

/// Reads a reply, of which nothing is believed before.
pub(super) fn believe<R: DeserializeOwned>(
    library: &Library,
    method: Method,
    reply: &[u8],
) -> Result<R, Failure> {
    let Ok(text) = std::str::from_utf8(reply) else {
        return Err(library.misbehaved(method, "gave an answer that is not UTF-8"));
    };
    match serde_json::from_str(text) {
        Ok(Envelope::Ok(answer)) => Ok(answer),
        Ok(Envelope::Error(complaint)) => Err(complaint.into_failure(library.path(), method)),
        Err(error) => {
            Err(library.misbehaved(method, &format!("gave an answer that makes no sense ({error})")))
        }
    }
}

/// A time in words: `10 s`, `250 ms`.
pub(super) fn seconds(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}

#[async_trait]
impl Backend for Plugin {
    fn describe(&self) -> Description {
        self.description.clone()
    }

    async fn probe(&self) -> Result<Support, Failure> {
        self.ask(Method::Probe, &Nothing {}, None).await
    }

    async fn plan(&self, want: &Request) -> Result<Actions, Failure> {
        self.ask(Method::Plan, want, None).await
    }

    async fn attach(&self, actions: &Actions, netns: BorrowedFd<'_>) -> Result<Attached, Failure> {
        self.ask(Method::Attach, &AttachRequest { actions: actions.clone() }, Some(netns)).await
    }

    async fn check(&self, want: &Request) -> Result<Drift, Failure> {
        self.ask(Method::Check, want, None).await
    }

    async fn detach(&self, jail: &JailId, undo: Option<&Undo>, how: Detach) -> Result<(), Failure> {
        let request = DetachRequest { jail: jail.clone(), undo: undo.cloned(), how };
        self.ask(Method::Detach, &request, None).await
    }

    async fn gc(&self, alive: &[JailId]) -> Result<Reaped, Failure> {
        self.ask(Method::Gc, &GcRequest { alive: alive.to_vec() }, None).await
    }

    async fn network_up(&self, network: &Network) -> Result<Network, Failure> {
        self.ask(Method::NetworkUp, network, None).await
    }

    async fn network_down(&self, network: &Network) -> Result<(), Failure> {
        self.ask(Method::NetworkDown, network, None).await
    }

    async fn network_of(&self, interface: &str) -> Result<Option<Network>, Failure> {
        self.ask(Method::NetworkOf, &NetworkOfRequest { bridge: interface.to_owned() }, None).await
    }
}
