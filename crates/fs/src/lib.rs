//! The fs stage.
