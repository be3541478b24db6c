//! Good and bad plugins against the loader: every way to be wrong is one sentence, and the host goes on.
#![cfg(test)]
#![forbid(unsafe_code)]

mod answers;
mod contract;
mod make;
mod refused;
mod trouble;
