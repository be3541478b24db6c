//! Programs with a privilege, below what a jail may write to. These tests need root.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use jail_fs::{Bind, Grant, ViewSpec};
use jail_sys::Kind;
use nix::mount::{MsFlags, mount};
use rustix::fs::{XattrFlags, setxattr};

use crate::host::{Holder, Host, on_a_host, run};

const GRANT: &str = "--grant=/srv/data:rw";

fn writable(path: &str) -> ViewSpec {
    ViewSpec { grants: vec![Grant { path: path.into(), writable: true }], ..ViewSpec::default() }
}

/// Runs `test` on a host with a file system at /srv/data whose mount is not nosuid.
fn with_data(test: impl FnOnce(&Host) + Send) {
    on_a_host(|host| {
        host.dir("srv/data", 0o755);
        memory(&host.path("srv/data"), MsFlags::empty());
        test(host);
    });
}

fn memory(target: &Path, flags: MsFlags) {
    mount(Some("none"), target, Some("tmpfs"), flags, Some("mode=755")).unwrap();
}

/// Gives a file what `setcap cap_net_raw+ep` gives it.
fn set_capability(path: &Path) {
    let (revision_2_effective, net_raw) = (0x0200_0001_u32, 1_u32 << 13);
    let value = [revision_2_effective, net_raw, 0, 0, 0].map(u32::to_le_bytes).concat();
    setxattr(path, "security.capability", &value, XattrFlags::empty()).unwrap();
}

/// What refuses a writable /srv/data, with its path on the host as the jail's user would write it.
fn refusal(host: &Host, spec: &ViewSpec) -> String {
    let failure = jail_fs::plan_at(spec, host.root()).unwrap_err();
    assert_eq!(failure.kind, Kind::Denied, "{failure}");
    failure.to_string().replace(host.root().to_str().unwrap(), "")
}

#[test]
fn a_set_id_program_that_the_jail_could_rewrite_through_a_mapping_is_not_granted() {
    with_data(|host| {
        let program = host.path("srv/data/suid");
        host.file("srv/data/suid", "the host's", 0o755);
        let rewrite = host.path("opt/rewrite");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/view/rewrite.c");
        assert!(Command::new("cc").arg("-o").arg(&rewrite).arg(source).status().unwrap().success());
        fs::set_permissions(&rewrite, Permissions::from_mode(0o755)).unwrap();

        // the attack works where the bit comes after the plan, and only through a mapping
        let (_holder, userns) = Holder::new();
        let plan = host.plan(&writable("/srv/data"));
        let attack = |script: &str| {
            host.file("srv/data/suid", "the host's", 0o4755);
            assert_eq!(run(&plan, Some(userns.as_fd()), 0, script), "");
            let mode = fs::metadata(&program).unwrap().mode();
            (fs::read_to_string(&program).unwrap(), mode & 0o7777)
        };
        assert_eq!(attack("printf evil 1<>/srv/data/suid"), ("evilhost's".to_owned(), 0o755));
        assert_eq!(attack("/opt/rewrite /srv/data/suid"), ("evilhost's".to_owned(), 0o4755));

        assert_eq!(
            refusal(host, &writable("/srv/data")),
            format!(
                "{GRANT}: /srv/data/suid is a set-user-ID program, which the jail could rewrite; take the bit \
                 away (chmod u-s), show it read-only (:ro), or grant for writing only the parts that need it"
            )
        );
    });
}

#[test]
fn every_kind_of_privilege_is_found_in_files_binds_and_deep_below() {
    with_data(|host| {
        let found = |path: &str| {
            let refusal = refusal(host, &writable(path));
            refusal.split_once(", which").unwrap().0.split_once(": ").unwrap().1.to_owned()
        };
        host.dir("srv/data/a/b/c", 0o2755);
        host.file("srv/data/a/b/c/file", "", 0o755);
        host.plan(&writable("/srv/data"));
        let set = |mode| host.file("srv/data/a/b/c/file", "", mode);
        set(0o2755);
        assert_eq!(found("/srv/data"), "/srv/data/a/b/c/file is a set-group-ID program");
        // an access control list could add the right to execute it
        set(0o2644);
        assert_eq!(found("/srv/data"), "/srv/data/a/b/c/file is a set-group-ID file");
        set(0o4755);
        assert_eq!(found("/srv/data/a/b/c/file"), "/srv/data/a/b/c/file is a set-user-ID program");
        set(0o755);
        set_capability(&host.path("srv/data/a/b/c/file"));
        assert_eq!(found("/srv/data"), "/srv/data/a/b/c/file is a privileged program");
        assert_eq!(found("/srv/data/a/b/c/file"), "/srv/data/a/b/c/file is a privileged program");
        fs::set_permissions(host.path("srv/data/a/b/c/file"), Permissions::from_mode(0o644)).unwrap();
        assert_eq!(found("/srv/data"), "/srv/data/a/b/c/file is a privileged file");

        let bind = Bind { source: "/srv/data".into(), target: "/data".into(), writable: true };
        let spec = ViewSpec { binds: vec![bind], ..ViewSpec::default() };
        assert!(refusal(host, &spec).starts_with("--bind=/srv/data,/data:rw: /srv/data/a/b/c/file is"));
    });
}

#[test]
fn what_cannot_be_written_or_is_no_program_is_granted() {
    with_data(|host| {
        host.dir("srv/data/group", 0o2775);
        host.dir("srv/data/sticky", 0o1777);
        std::os::unix::fs::symlink("/usr/bin/su", host.path("srv/data/link")).unwrap();
        host.plan(&writable("/srv/data"));
        host.file("srv/data/suid", "", 0o4755);
        let grants = vec![Grant { path: "/srv/data".into(), writable: false }];
        host.plan(&ViewSpec { grants, ..ViewSpec::default() });
    });
}

#[test]
fn a_nosuid_mount_is_looked_at_too_because_the_file_may_have_its_privilege_through_another() {
    with_data(|host| {
        host.dir("srv/view", 0o755);
        host.file("srv/data/suid", "the host's", 0o4755);
        crate::host::bind(&host.path("srv/data"), &host.path("srv/view"));
        let again = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_NOSUID;
        mount(None::<&str>, &host.path("srv/view"), None::<&str>, again, None::<&str>).unwrap();
        let seen = fs::metadata(host.path("srv/view/suid")).unwrap();
        let privileged = fs::metadata(host.path("srv/data/suid")).unwrap();
        assert_eq!((seen.dev(), seen.ino()), (privileged.dev(), privileged.ino()));
        assert!(refusal(host, &writable("/srv/view")).contains("/srv/view/suid is a set-user-ID program"));
        assert!(refusal(host, &writable("/srv/view/suid")).contains("is a set-user-ID program"));
    });
}

#[test]
fn what_is_mounted_below_is_looked_at_too() {
    with_data(|host| {
        host.dir("srv/data/blank and/below", 0o755);
        memory(&host.path("srv/data/blank and/below"), MsFlags::MS_NOSUID);
        host.plan(&writable("/srv/data"));
        host.file("srv/data/blank and/below/suid", "", 0o4755);
        let found =
            |path: &str| refusal(host, &writable("/srv/data")).contains(&format!("{path} is a set-user-ID"));
        assert!(found("/srv/data/blank and/below/suid"));
        fs::remove_file(host.path("srv/data/blank and/below/suid")).unwrap();
        host.file("srv/data/file", "", 0o644);
        host.file("srv/suid", "", 0o4755);
        crate::host::bind(&host.path("srv/suid"), &host.path("srv/data/file"));
        assert!(found("/srv/data/file"));
    });
}

#[test]
fn a_privileged_program_is_no_less_in_the_way_where_it_is_frozen_again() {
    with_data(|host| {
        host.dir("srv/data/bin", 0o755);
        host.file("srv/data/bin/suid", "", 0o4755);
        let mut spec = writable("/srv/data");
        spec.read_only.push("/srv/data/bin".into());
        assert!(refusal(host, &spec).ends_with("or grant for writing only the parts that need it"));
        host.dir("srv/data/part", 0o755);
        host.plan(&writable("/srv/data/part"));
    });
}

#[test]
fn a_hostile_name_is_found_and_shown_without_what_a_terminal_obeys() {
    with_data(|host| {
        let name = OsStr::from_bytes(b"\x1b[2J\n\xff");
        let path = host.path("srv/data").join(name);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o4755)).unwrap();
        let refusal = refusal(host, &writable("/srv/data"));
        assert!(refusal.contains("/srv/data/\\u{1b}[2J\\n\u{fffd} is a set-user-ID program"), "{refusal}");
    });
}

#[test]
fn a_tree_too_deep_to_be_looked_through_is_refused() {
    with_data(|host| {
        let deep = |levels: usize| format!("srv/data/{}", vec!["d"; levels].join("/"));
        host.dir(&deep(255), 0o755);
        host.plan(&writable("/srv/data"));
        host.dir(&deep(256), 0o755);
        assert!(
            refusal(host, &writable("/srv/data")).contains("has directories more than 255 deep below it")
        );
    });
}
