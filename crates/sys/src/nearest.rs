//! What a misspelt name may have been meant to be.

/// The name most like `wrong`, whatever the case of its letters, if one is like it at all: no more than a third of it to
/// be changed, of a very short one a single letter.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let length = wrong.chars().count();
    let most = (length / 3).max(1).min(length.saturating_sub(1));
    // Much shorter or longer is never near, and measuring a text of megabytes would take its time.
    let alike = names.into_iter().filter(|name| name.chars().count().abs_diff(length) <= most);
    let distances = alike.map(|name| (strsim::osa_distance(&wrong, &name.to_lowercase()), name));
    distances.min().filter(|(distance, _)| *distance <= most).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_is_much_the_same_is_near() {
        let near = |wrong| nearest(wrong, ["bind", "br0", "help", "list", "rlimit-nofile", "run"]);
        assert_eq!(near("rnu"), Some("run"));
        assert_eq!(near("rn"), Some("run"));
        assert_eq!(near("BR0"), Some("br0"));
        assert_eq!(near("rlimit-NOFILE"), Some("rlimit-nofile"));
        for far in ["shell", "bridge", "isolate", "x", ""] {
            assert_eq!(near(far), None, "{far}");
        }
    }
}
