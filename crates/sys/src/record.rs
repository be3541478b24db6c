//! `Record`: how a step that failed crosses from the child to the parent, in one write to the report pipe.

/// Which step failed, and with what. Fixed size, below `PIPE_BUF`, so that it arrives whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The step of the launched program.
    pub(crate) step: u32,
    /// The step of the program that step forked, if the failure is in there.
    pub(crate) inner: Option<u32>,
    /// errno(3).
    pub(crate) errno: i32,
}

/// How many bytes a record takes on the pipe.
pub(crate) const LENGTH: usize = 12;

/// Stands for "not in a forked program".
const NONE: u32 = u32::MAX;

impl Record {
    pub(crate) fn encode(self) -> [u8; LENGTH] {
        let [a, b, c, d] = self.step.to_ne_bytes();
        let [e, f, g, h] = self.inner.unwrap_or(NONE).to_ne_bytes();
        let [i, j, k, l] = self.errno.to_ne_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    pub(crate) fn decode([a, b, c, d, e, f, g, h, i, j, k, l]: [u8; LENGTH]) -> Self {
        Record {
            step: u32::from_ne_bytes([a, b, c, d]),
            inner: Some(u32::from_ne_bytes([e, f, g, h])).filter(|inner| *inner != NONE),
            errno: i32::from_ne_bytes([i, j, k, l]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_arrives_as_it_was_sent() {
        for inner in [None, Some(0), Some(7)] {
            let record = Record { step: 300, inner, errno: libc::ENOENT };
            assert_eq!(Record::decode(record.encode()), record);
        }
    }
}
