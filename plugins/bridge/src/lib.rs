//! The bridge backend.
