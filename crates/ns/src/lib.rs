//! The ns stage.
