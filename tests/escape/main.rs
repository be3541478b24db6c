//! Attacks on a jail by its own root, one per known class: each is shown to work in an open configuration, and then to
//! be stopped in a jail, from its start and joined later. `attacks/lib.sh` says what an attack is, `docs/security.md`
//! what stops each.

use std::process::Command;
use std::sync::OnceLock;

use jail_tests::Host;

/// How an attack gets into a jail: the canary, and the ways it must be stopped on.
const AS_ROOT: (&str, [&str; 2]) = ("open", ["jail-run", "jail-join"]);

/// Exit statuses of `try`.
const WORKS: i32 = 0;
const STOPPED: i32 = 1;
const NOT_FOR: i32 = 2;

/// Tries an attack on a host of its own.
#[track_caller]
fn attack(name: &str) {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = jail_tests::built().join("attack");
        let built = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/escape/build")).arg(out).status();
        assert!(built.is_ok_and(|status| status.success()), "the attacks' program does not build");
    });
    let (canary, ways) = AS_ROOT;
    let by = |way: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/escape/try");
        Host::new().sh(&format!("{script} {way} {name}"))
    };
    let open = by(canary);
    assert_eq!(
        open.status, WORKS,
        "that it fails in a jail says nothing, for it does not work in the open: {open}"
    );
    for way in ways {
        let tried = by(way);
        assert!(matches!(tried.status, STOPPED | NOT_FOR), "{tried}");
    }
}

/// A test for each attack, by the name of its file.
macro_rules! attacks {
    ($($test:ident: $name:literal,)+) => {
        const ATTACKS: &[&str] = &[$($name),+];
        $(#[test] fn $test() { attack($name); })+
    };
}

attacks! {
    a_descriptor_left_open: "fd-leak",
    a_nested_user_namespace: "nested-userns",
}

#[test]
fn every_attack_is_tried() {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/escape/attacks")).unwrap();
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap();
        assert!(name == "lib" || ATTACKS.contains(&name), "{name} is in no test");
    }
}
