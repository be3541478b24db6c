//! Landlock, asked about. See landlock(7).

use crate::kernel;

/// The version of its ABI that this kernel has: 0 where it has none, or has it switched off.
pub fn abi() -> u32 {
    kernel::landlock_version().map_or(0, |version| version as u32)
}
