//! `Tell`: who is told each step of a start, for `--debug`. It costs nothing when nobody is.

use std::fmt;
use std::sync::Arc;

/// A step that has been done.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The stage that did it.
    pub stage: &'a str,
    /// The system call or step.
    pub operation: &'a str,
    /// The user's own option or path, or what it was done to.
    pub object: &'a str,
}

/// Who is told.
#[derive(Clone, Default)]
pub(crate) struct Tell(Option<Arc<Listener>>);

type Listener = dyn Fn(Told<'_>) + Send + Sync;

impl Tell {
    pub(crate) fn to(told: impl Fn(Told<'_>) + Send + Sync + 'static) -> Self {
        Tell(Some(Arc::new(told)))
    }

    /// Whether somebody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    /// Tells a step. What it was done to is made into words only if somebody listens.
    pub(crate) fn step<T: fmt::Display>(&self, stage: &str, operation: &str, object: impl FnOnce() -> T) {
        if let Some(told) = &self.0 {
            told(Told { stage, operation, object: &object().to_string() });
        }
    }
}

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_heard() { "somebody" } else { "nobody" })
    }
}
