//! The nft backend.
