//! The limit of a directory in memory, as the user writes it.

use jail_sys::{Failure, Kind, printable};

use crate::plan::STAGE;

/// Whether the kernel takes it for the limit it says. It reads a number that begins with 0 as octal, and one that does
/// not fit into 64 bits, or no longer does when it is rounded up to pages, as no limit.
fn is_limit(size: &str) -> bool {
    const LARGEST_PAGE: u64 = 64 << 10;
    let digits = size.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let bytes = |unit: u64, number: u64| number.checked_mul(unit)?.checked_next_multiple_of(LARGEST_PAGE);
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok());
    let Some(number) = number.flatten().filter(|_| !digits.starts_with('0')) else { return false };
    match &size[digits.len()..] {
        "%" => number <= 100,
        "" => bytes(1, number).is_some(),
        "k" | "K" => bytes(1 << 10, number).is_some(),
        "m" | "M" => bytes(1 << 20, number).is_some(),
        "g" | "G" => bytes(1 << 30, number).is_some(),
        _ => false,
    }
}

/// A limit as tmpfs(5) takes it. An empty one would be no limit.
///
/// # Errors
/// What the kernel would take for no limit.
pub(crate) fn size_of<'a>(option: &str, size: Option<&'a str>) -> Result<&'a str, Failure> {
    let size = size.unwrap_or("25%");
    if is_limit(size) {
        return Ok(size);
    }
    let message = format!("{option} has no usable size: '{}'", printable(size));
    Err(Failure::new(Kind::Usage, STAGE, "parse", option, message).hint(
        "give bytes, with k, m or g behind them and less than 16 EiB, or a percentage of the memory with %",
    ))
}
