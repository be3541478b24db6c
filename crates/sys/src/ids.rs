//! `IdMap`: which ids of the host a jail's ids are.

use serde::{Deserialize, Serialize};

/// The id on both sides for "nobody this map knows" (`/proc/sys/kernel/overflowuid`).
const OVERFLOW: u32 = 65534;

/// A jail's uids and gids 0 to `size` - 1 are the host's `base` to `base + size` - 1; both maps are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// The host's number of the jail's id 0.
    pub base: u32,
    /// How many ids.
    pub size: u32,
}

impl IdMap {
    /// The host's own ids.
    pub const HOST: IdMap = IdMap { base: 0, size: u32::MAX };

    /// The host's number of an id of the jail's; an id beyond the map is its `OVERFLOW`.
    pub fn to_host(&self, inside: u32) -> u32 {
        self.base + if inside < self.size { inside } else { OVERFLOW.min(self.size - 1) }
    }

    /// The jail's number of an id of the host's, if it is one of the jail's.
    pub fn to_jail(&self, host: u32) -> Option<u32> {
        host.checked_sub(self.base).filter(|inside| *inside < self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_map_both_ways_and_strangers_become_nobody() {
        let map = IdMap { base: 0x7000_0000, size: 65536 };
        assert_eq!(map.to_host(33), 0x7000_0021);
        assert_eq!(map.to_jail(0x7000_0021), Some(33));
        assert_eq!(map.to_host(70_000), 0x7000_0000 + OVERFLOW);
        assert_eq!(map.to_jail(33), None);
    }
}
