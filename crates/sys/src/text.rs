//! Text that somebody else chose, for a terminal.

/// The text with what a terminal would obey spelled out: control signs, line breaks among them.
pub fn printable(text: &str) -> String {
    let spell = |sign: char| if sign.is_control() { sign.escape_default().collect() } else { vec![sign] };
    text.chars().flat_map(spell).collect()
}

/// The same for a sentence: no longer than one can read.
pub fn short(text: &str) -> String {
    const ENOUGH: usize = 200;
    let mut shown = printable(text.get(..text.floor_char_boundary(ENOUGH)).unwrap_or_default());
    let cut = shown.floor_char_boundary(ENOUGH);
    if text.len() > ENOUGH || cut < shown.len() {
        shown.truncate(cut);
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(printable("a\u{1b}[2J\nb\u{9b}ü"), "a\\u{1b}[2J\\nb\\u{9b}ü");
    }

    #[test]
    fn what_is_too_long_for_a_sentence_is_cut() {
        assert_eq!(short("a\u{1b}b"), "a\\u{1b}b");
        assert_eq!(short(&"x".repeat(200)), "x".repeat(200));
        for long in ["x".repeat(10 << 20), "ü\u{1b}".repeat(150), "\u{1b}".repeat(200)] {
            let shown = short(&long);
            assert!(shown.len() <= 203 && shown.ends_with("..."), "{shown}");
        }
    }
}
