//! What a misspelt name may have been meant to be.

/// The name most like `wrong`, if one is like it at all: no more than a third of it to be changed.
pub(crate) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::osa_distance(wrong, name), name))
        .min()
        .filter(|(distance, _)| *distance <= wrong.len().div_ceil(3))
        .map(|(_, name)| name)
}
