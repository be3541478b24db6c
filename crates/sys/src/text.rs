//! Text that somebody else chose, for a terminal.

/// The text with what a terminal would obey spelled out: control signs, line breaks among them.
pub fn printable(text: &str) -> String {
    let spell = |sign: char| if sign.is_control() { sign.escape_default().collect() } else { vec![sign] };
    text.chars().flat_map(spell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(printable("a\u{1b}[2J\nb\u{9b}ü"), "a\\u{1b}[2J\\nb\\u{9b}ü");
    }
}
