//! What is not loaded, and the sentence that says why.

use std::fs;
use std::time::Duration;

use jail_net::plugin::{self, sdk::Kind};

use crate::make::{bad, directory};

/// What to do about a plugin that does not work, where there is no more to say.
const REMEDY: &str = "put one that works in its place, or remove it";

/// The sentence, without the directory of the plugin. The usual remedy is seen to be there and left out.
fn sentence(wrong: &[&str]) -> (Kind, String) {
    let directory = directory();
    let path = bad(&directory, wrong);
    let failure = plugin::load(&path).unwrap_err();
    assert!(failure.object.ends_with("/libjail_bad.so"));
    assert!(!failure.hint.is_empty(), "{failure}");
    let sentence = failure.to_string().replace(&format!("{}/", directory.path().display()), "");
    (failure.kind, sentence.trim_end_matches(&format!("; {REMEDY}")).to_owned())
}

#[test]
fn a_library_without_our_symbol_is_no_plugin() {
    let no = "libjail_bad.so is not a plugin of jail: it does not export jail_plugin_v1";
    assert_eq!(sentence(&["SYMBOL=jail_plugin_v0"]), (Kind::Invalid, no.into()));
}

#[test]
fn a_library_with_another_magic_is_no_plugin() {
    let no = "libjail_bad.so is not a plugin of jail: its descriptor begins with something else";
    assert_eq!(sentence(&["MAGIC=1"]), (Kind::Invalid, no.into()));
}

#[test]
fn another_version_of_the_abi_is_named_with_what_built_it() {
    let no = "libjail_bad.so (bad 7) speaks version 2 of the plugin ABI, this program version 1; use a plugin of this \
              release of jail";
    assert_eq!(sentence(&["VERSION=2"]), (Kind::Unsupported, no.into()));
}

#[test]
fn a_descriptor_that_is_too_small_is_refused_and_a_larger_one_is_fine() {
    let no = "libjail_bad.so has a descriptor of 24 bytes where at least 48 are needed";
    assert_eq!(sentence(&["SIZE=24"]), (Kind::Invalid, no.into()));
    let directory = directory();
    assert!(plugin::load(&bad(&directory, &["SIZE=4096"])).is_ok());
}

#[test]
fn no_descriptor_and_no_functions_are_refused() {
    let no = "libjail_bad.so gives no descriptor of itself";
    assert_eq!(sentence(&["ENTRY=return 0"]).1, no);
    assert_eq!(sentence(&["ENTRY=return (const void *)((const char *)&self + 1)"]).1, no);
    let no = "libjail_bad.so has no function to call: a pointer in its descriptor is NULL";
    assert_eq!(sentence(&["CALL=0"]).1, no);
    assert_eq!(sentence(&["RELEASE=0"]).1, no);
}

#[test]
fn a_library_that_aborts_on_panic_is_refused() {
    let no = "libjail_bad.so is built with panic=abort: a panic in it would end this program; build it with panic = \
              \"unwind\"";
    assert_eq!(sentence(&["FLAGS=JAIL_PLUGIN_ABORTS"]), (Kind::Invalid, no.into()));
}

#[test]
fn a_backend_that_calls_itself_otherwise_than_its_file_is_refused() {
    let no = "libjail_bad.so calls itself 'good', where its file says 'bad'; rename the file or the backend";
    assert_eq!(sentence(&["NAME=\"good\""]), (Kind::Invalid, no.into()));
}

#[test]
fn a_missing_symbol_is_named_in_the_loaders_words() {
    let no = "libjail_bad.so cannot be loaded: undefined symbol: somewhere_else";
    let wrong = ["ENTRY=extern void *somewhere_else(void); return somewhere_else()"];
    assert_eq!(sentence(&wrong), (Kind::Invalid, no.into()));
}

#[test]
fn a_library_that_never_says_what_it_is_is_given_up() {
    let directory = directory();
    let path = bad(&directory, &["ENTRY=loop(); return &self"]);
    let failure = plugin::load_within(&path, Duration::from_millis(50)).unwrap_err();
    assert!(failure.message.ends_with("libjail_bad.so did not finish loading within 50 ms"), "{failure}");
    assert_eq!(plugin::load(&path).unwrap_err(), failure, "it is not called again");
}

#[test]
fn what_was_wrong_with_a_library_is_answered_again() {
    let directory = directory();
    let path = bad(&directory, &["MAGIC=1"]);
    assert_eq!(plugin::load(&path).unwrap_err(), plugin::load(&path).unwrap_err());
}

#[test]
fn a_file_of_another_name_or_content_is_refused() {
    let directory = directory();
    let path = directory.path().join("libjail_text.so");
    fs::write(&path, "hello").unwrap();
    assert!(plugin::load(&path).unwrap_err().message.ends_with("libjail_text.so is not a shared library"));
    let path = directory.path().join("plugin.so");
    let failure = plugin::load(&path).unwrap_err();
    assert!(failure.message.ends_with("plugin.so is not named like a plugin: libjail_NAME.so"), "{failure}");
}

#[test]
fn a_library_cut_in_half_is_refused_before_it_is_mapped() {
    let directory = directory();
    let path = bad(&directory, &[]);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let failure = plugin::load(&path).unwrap_err();
    assert!(failure.message.ends_with("libjail_bad.so is not whole: it ends too early"), "{failure}");
}

#[test]
fn a_library_that_replaced_another_is_another() {
    let directory = directory();
    let path = bad(&directory, &["VERSION=2"]);
    let old = directory.path().join("old");
    fs::rename(&path, old).unwrap();
    assert!(plugin::load(&directory.path().join("libjail_bad.so")).is_err());
    assert!(plugin::load(&bad(&directory, &[])).is_ok());
}
