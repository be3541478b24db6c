//! The messages in JSON: which method takes what. Answers are `{"ok": ...}` or `{"error": {...}}`.

use std::ffi::CStr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::backend::{Actions, Detach, Failure, Kind, Undo};
use crate::model::JailId;

/// The methods of a backend, as they are called across the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Describe,
    Probe,
    Plan,
    Attach,
    Check,
    Detach,
    Gc,
    NetworkUp,
    NetworkDown,
    NetworkOf,
}

impl Method {
    const ALL: [Method; 10] = [
        Method::Describe,
        Method::Probe,
        Method::Plan,
        Method::Attach,
        Method::Check,
        Method::Detach,
        Method::Gc,
        Method::NetworkUp,
        Method::NetworkDown,
        Method::NetworkOf,
    ];

    pub(crate) fn symbol(self) -> &'static CStr {
        match self {
            Method::Describe => c"describe",
            Method::Probe => c"probe",
            Method::Plan => c"plan",
            Method::Attach => c"attach",
            Method::Check => c"check",
            Method::Detach => c"detach",
            Method::Gc => c"gc",
            Method::NetworkUp => c"network_up",
            Method::NetworkDown => c"network_down",
            Method::NetworkOf => c"network_of",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.symbol().to_str().unwrap_or_default()
    }

    pub(crate) fn named(symbol: &CStr) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.symbol() == symbol)
    }
}

/// The request of a method that needs nothing: `{}`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Nothing {}

#[derive(Serialize, Deserialize)]
pub(crate) struct AttachRequest {
    pub(crate) actions: Actions,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct DetachRequest {
    pub(crate) jail: JailId,
    #[serde(default)]
    pub(crate) undo: Option<Undo>,
    #[serde(default)]
    pub(crate) how: Detach,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct GcRequest {
    pub(crate) alive: Vec<JailId>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct NetworkOfRequest {
    pub(crate) bridge: String,
}

/// An answer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Envelope<T> {
    Ok(T),
    Error(Complaint),
}

/// A [`Failure`] as a plugin may write it: `kind` and `message` are enough.
#[derive(Serialize, Deserialize)]
pub(crate) struct Complaint {
    kind: Value,
    message: String,
    #[serde(default)]
    stage: String,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    errno: Option<i32>,
    #[serde(default)]
    hint: String,
}

impl Complaint {
    /// The failure, with what was left out filled in. A kind of a later version reads as [`Kind::Failed`].
    pub(crate) fn into_failure(self, plugin: &Path, method: Method) -> Failure {
        let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
        let kind = serde_json::from_value(self.kind).unwrap_or(Kind::Failed);
        let mut failure = Failure::new(
            kind,
            or(self.stage, "network"),
            or(self.operation, method.name()),
            or(self.object, &plugin.display().to_string()),
            self.message,
        );
        failure.errno = self.errno;
        failure.hint(self.hint)
    }
}

impl From<Failure> for Complaint {
    fn from(failure: Failure) -> Self {
        Complaint {
            kind: serde_json::to_value(failure.kind).unwrap_or(Value::Null),
            message: failure.message,
            stage: failure.stage.into_owned(),
            operation: failure.operation.into_owned(),
            object: failure.object,
            errno: failure.errno,
            hint: failure.hint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_by_its_name() {
        for method in Method::ALL {
            assert_eq!(Method::named(method.symbol()), Some(method));
            assert!(!method.name().is_empty());
        }
        assert_eq!(Method::named(c"format_disk"), None);
    }

    #[test]
    fn a_failure_crosses_unchanged() {
        let mut failure =
            Failure::new(Kind::Conflict, "network", "attach", "--publish=80", "port 80 is taken")
                .hint("publish another");
        failure.errno = Some(98);
        let bytes = serde_json::to_vec(&Envelope::<()>::Error(failure.clone().into())).unwrap();
        let Envelope::Error(complaint) = serde_json::from_slice::<Envelope<()>>(&bytes).unwrap() else {
            panic!()
        };
        assert_eq!(complaint.into_failure(Path::new("null"), Method::Attach), failure);
    }

    #[test]
    fn a_kind_and_a_message_are_enough_of_a_failure() {
        let text = r#"{"error":{"kind":"a-later-one","message":"no"}}"#;
        let Envelope::Error(complaint) = serde_json::from_str::<Envelope<()>>(text).unwrap() else {
            panic!()
        };
        let failure = complaint.into_failure(Path::new("null"), Method::Gc);
        assert_eq!((failure.kind, &*failure.operation, &*failure.object), (Kind::Failed, "gc", "null"));
    }
}
