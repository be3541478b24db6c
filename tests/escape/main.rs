//! Attacks on a jail by its own root, one per known class: each is shown to work in an open configuration, and then to
//! be stopped in a jail, from its start and joined later. All of it happens twice: on a jail that the host's root
//! starts, and on one that an ordinary user does, where the attack means something to a user. `attacks/lib.sh` says
//! what an attack is, `docs/security.md` what stops each.

use std::process::Command;
use std::sync::OnceLock;

use jail_tests::Host;

/// Who starts the jail and what it is attacked by: the canary, which must work, and the ways it must be stopped on.
const ATTACKERS: &[(&str, [&str; 2])] =
    &[("open", ["jail-run", "jail-join"]), ("user-open", ["user-run", "user-join"])];

/// Exit statuses of `try`.
const WORKS: i32 = 0;
const STOPPED: i32 = 1;
const NOT_FOR: i32 = 2;

/// Tries an attack, each way on a host of its own.
#[track_caller]
fn attack(name: &str) {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/escape/build"))
            .arg(jail_tests::built())
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the attacks' programs do not build");
    });
    let by = |way: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/escape/try");
        Host::new().sh(&format!("{script} {way} {name}"))
    };
    let mut stopped = 0;
    for (canary, ways) in ATTACKERS {
        let open = by(canary);
        assert!(
            matches!(open.status, WORKS | NOT_FOR),
            "that it fails in a jail says nothing, for it does not work in the open: {open}"
        );
        for way in ways {
            let tried = by(way);
            let shown = open.status == WORKS && tried.status == STOPPED; // and not that nobody could do it anyway
            assert!(shown || tried.status == NOT_FOR, "in the open {}, but {tried}", open.status);
            stopped += i32::from(tried.status == STOPPED);
        }
    }
    assert!(stopped > 0, "{name} is for no way into a jail");
}

/// A group of attacks: a test for each, by the name of its file.
macro_rules! attacks {
    ($($test:ident: $name:literal,)*) => {
        /// Tests and their attacks.
        pub(crate) const ATTACKS: &[(&str, &str)] =
            &[$((concat!(module_path!(), "::", stringify!($test)), $name)),*];
        $(#[test] fn $test() { crate::attack($name); })*
    };
}

// One group a file, by what is attacked.
mod descriptors;
mod files;
mod grants;
mod identity;
mod ipc;
mod kernel;
mod network;
mod privileges;
mod resources;
mod starts;
mod terminal;

const GROUPS: &[&[(&str, &str)]] = &[
    descriptors::ATTACKS,
    files::ATTACKS,
    grants::ATTACKS,
    identity::ATTACKS,
    ipc::ATTACKS,
    kernel::ATTACKS,
    network::ATTACKS,
    privileges::ATTACKS,
    resources::ATTACKS,
    starts::ATTACKS,
    terminal::ATTACKS,
];

#[test]
fn every_attack_is_tried_once() {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/escape/attacks")).unwrap();
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "lib")
        .collect();
    files.sort_unstable();
    let mut tried: Vec<_> = GROUPS.concat().iter().map(|(_, name)| *name).collect();
    tried.sort_unstable();
    assert_eq!(files, tried);
}

#[test]
fn every_attack_has_its_row_in_the_document_and_every_row_its_attack() {
    let document = include_str!("../../docs/security.md");
    // The cells of a row that names a test, which stands last, and the attack before it.
    let row = |line: &str| {
        let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [_, name, _, stopped_by, test] = cells.as_slice() else { return None };
        let test = test.strip_prefix('`')?.strip_suffix('`')?;
        assert!(!stopped_by.trim().is_empty(), "nothing stops {name}");
        Some((format!("escape::{test}"), name.trim_matches('`').to_owned()))
    };
    let mut rows: Vec<_> = document.lines().filter_map(row).collect();
    rows.sort_unstable();
    let mut tests: Vec<_> =
        GROUPS.concat().iter().map(|(test, name)| ((*test).to_owned(), (*name).to_owned())).collect();
    tests.sort_unstable();
    let without: Vec<_> = tests.iter().filter(|test| !rows.contains(test)).collect();
    let gone: Vec<_> = rows.iter().filter(|row| !tests.contains(row)).collect();
    assert!(without.is_empty() && gone.is_empty(), "without a row: {without:#?}; without a test: {gone:#?}");
    assert_eq!(rows.len(), tests.len(), "a row stands there twice");
}
