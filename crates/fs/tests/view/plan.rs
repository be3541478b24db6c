//! What is planned, on a made-up host and without root.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;

use jail_fs::{Bind, Closed, Grant, MountPlan, Owner, Tmpfs, ViewSpec, Writable};

use crate::host::Host;

fn grant(path: &str, writable: bool) -> ViewSpec {
    ViewSpec { grants: vec![Grant { path: path.into(), writable }], ..ViewSpec::default() }
}

fn bind(source: &str, target: &str) -> ViewSpec {
    let bind = Bind { source: source.into(), target: target.into(), writable: true };
    ViewSpec { binds: vec![bind], ..ViewSpec::default() }
}

fn blacklist(path: &str) -> ViewSpec {
    ViewSpec { blacklist: vec![path.into()], ..ViewSpec::default() }
}

#[test]
fn nothing_but_the_allowed_trees_of_the_host_is_shown() {
    let host = Host::new();
    let root = host.root().display().to_string();
    let lines = host.plan(&ViewSpec::default()).lines();
    let sources = lines.iter().filter_map(|line| line.split_once(&format!("host {root}/")));
    let mut shown: Vec<&str> = sources.map(|(target, _)| target.split_whitespace().next().unwrap()).collect();
    shown.sort_unstable();
    assert_eq!(shown, ["/etc", "/opt", "/srv", "/usr", "/var", "/var/lib"]);
    assert!(lines.contains(&"/bin  link to usr/bin".to_owned()));
    assert!(lines.iter().filter(|line| line.contains("host ")).all(|line| !line.contains("idmapped")));
}

#[test]
fn a_host_without_var_or_with_links_in_place_of_trees_is_planned() {
    let host = Host::new();
    std::fs::remove_dir_all(host.path("var")).unwrap();
    std::fs::remove_dir_all(host.path("srv")).unwrap();
    std::fs::remove_dir_all(host.path("opt")).unwrap();
    symlink("/data/srv", host.path("srv")).unwrap();
    symlink("usr/opt", host.path("opt")).unwrap();
    host.dir("usr/opt", 0o755);
    let lines = host.plan(&ViewSpec::default()).lines();
    assert!(lines.contains(&"/opt  link to usr/opt".to_owned()));
    assert!(lines.iter().any(|line| line.starts_with("note: /srv is not shown")));
    assert!(lines.iter().any(|line| line.starts_with("note: /var is not shown")));
}

#[test]
fn a_name_of_the_hosts_cannot_write_to_the_readers_terminal() {
    let host = Host::new();
    host.dir("srv/\x1b[2J", 0o755);
    let line = host.line(&grant("/srv/\x1b[2J", false), "/srv/\\u{1b}[2J").unwrap();
    assert!(!line.contains('\x1b'));
}

#[test]
fn a_grant_is_idmapped_and_read_only_unless_said_otherwise() {
    let host = Host::new();
    assert!(
        host.line(&grant("/srv/site", false), "/srv/site").unwrap().contains("  ro,nosuid,nodev,idmapped")
    );
    assert!(
        host.line(&grant("/srv/site", true), "/srv/site").unwrap().contains("  rw,nosuid,nodev,idmapped")
    );
}

#[test]
fn a_grant_below_a_fresh_directory_is_made_there_and_one_through_a_link_ends_where_the_link_leads() {
    let host = Host::new();
    assert!(host.line(&grant("/home/alice", false), "/home/alice").is_some());
    host.dir("run/app", 0o755);
    assert!(host.line(&grant("/var/run/app", false), "/run/app").is_some());
}

#[test]
fn what_cannot_be_granted_is_refused_in_words() {
    let host = Host::new();
    let refused = |path: &str| host.refusal(&grant(path, false));
    assert_eq!(
        refused("/srv/nope"),
        "--grant=/srv/nope names a path that the host does not have; create it first"
    );
    for path in ["/", "/proc", "/sys"] {
        assert_eq!(refused(path), format!("--grant={path} cannot be had: {path} of the host is never shown"));
    }
    assert!(refused("srv").contains("does not begin with a slash"));
    assert!(refused("/srv/../etc").contains("'..'"));
    symlink("/proc", host.path("srv/link")).unwrap();
    assert!(refused("/srv/link").contains("leads through the symbolic link /srv/link"));
}

#[test]
fn a_path_that_is_not_written_in_full_is_refused_wherever_it_stands() {
    let host = Host::new();
    let path = |text: &str| vec![PathBuf::from(text)];
    for wrong in ["srv/site", ".", "./srv", "", "/srv/../etc", "/srv/.."] {
        let tmpfs = vec![Tmpfs { target: wrong.into(), size: None }];
        for spec in [
            grant(wrong, false),
            bind(wrong, "/data"),
            bind("/srv/site", wrong),
            blacklist(wrong),
            ViewSpec { read_only: path(wrong), ..ViewSpec::default() },
            ViewSpec { tmpfs, ..ViewSpec::default() },
            ViewSpec { files: vec![(wrong.into(), String::new())], ..ViewSpec::default() },
        ] {
            let failure = jail_fs::plan_at(&spec, host.root()).unwrap_err();
            assert_eq!(failure.kind, jail_sys::Kind::Usage, "{spec:?}: {failure}");
            assert!(failure.hint.contains("in full"), "{spec:?}: {failure}");
        }
    }
    assert!(host.line(&grant("/srv/./site/", false), "/srv/site").is_some());
}

#[test]
fn a_directory_that_is_its_own_is_listed_without_a_count_of_nothing() {
    let host = Host::new();
    let lines = host.plan(&ViewSpec::default()).lines();
    assert!(lines.iter().any(|line| line.starts_with("/tmp  own  rw,")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("/run  own, 1 empty directory  rw,")), "{lines:?}");
}

#[test]
fn a_target_in_the_hosts_tree_must_exist_and_be_of_the_same_kind() {
    let host = Host::new();
    assert!(host.refusal(&bind("/srv/site", "/usr/site")).contains("there is no /usr/site"));
    assert!(host.refusal(&bind("/srv/site", "/etc/hosts")).contains("is a directory, its target a file"));
    assert!(host.refusal(&bind("/etc/hosts", "/srv/site")).contains("is a file, its target a directory"));
    assert!(host.refusal(&bind("/srv/site", "/proc/self")).contains("/proc is the jail's own"));
    assert!(host.line(&bind("/srv/site", "/data/site"), "/data/site").is_some());
}

#[test]
fn two_options_for_one_place_are_a_contradiction_and_the_same_option_twice_is_not() {
    let host = Host::new();
    let mut spec = grant("/srv/site", true);
    spec.grants.push(spec.grants[0].clone());
    assert_eq!(host.plan(&spec), host.plan(&grant("/srv/site", true)));
    spec.tmpfs.push(Tmpfs { target: "/srv/site".into(), size: None });
    assert_eq!(
        host.refusal(&spec),
        "--grant=/srv/site:rw and --tmpfs=/srv/site contradict each other; leave one of them out"
    );
}

#[test]
fn one_place_to_read_and_to_write_is_a_contradiction() {
    let host = Host::new();
    for first in [true, false] {
        let mut spec = grant("/srv/site", first);
        spec.grants.push(Grant { path: "/srv/site".into(), writable: !first });
        let failure = jail_fs::plan_at(&spec, host.root()).unwrap_err();
        let options = ["--grant=/srv/site", "--grant=/srv/site:rw"].map(|option| option.to_owned());
        assert_eq!(failure.kind, jail_sys::Kind::Usage);
        assert_eq!(
            failure.message,
            format!(
                "{} and {} contradict each other",
                options[usize::from(first)],
                options[usize::from(!first)]
            )
        );
    }
}

#[test]
fn what_is_asked_for_and_hidden_at_one_path_is_a_contradiction() {
    let host = Host::new();
    let asked = ViewSpec {
        read_write: vec!["/srv/site".into()],
        binds: bind("/srv/site", "/etc/site").binds,
        tmpfs: vec![Tmpfs { target: "/mnt/fresh".into(), size: None }],
        private: Some("/srv".into()),
        runtime_dirs: vec!["x".into()],
        whitelist: vec!["/opt/site".into()],
        writable_var: true,
        ..ViewSpec::default()
    };
    for (option, path) in [
        ("--read-write=/srv/site", "/srv/site/"),
        ("--bind=/srv/site,/etc/site:rw", "/etc/site"),
        ("--tmpfs=/mnt/fresh", "/mnt/./fresh"),
        ("--private=/srv", "/root"),
        ("--runtime-dir=x", "/run/x"),
        ("--whitelist=/opt/site", "/opt/site"),
        ("--writable-var", "/var"),
    ] {
        let spec = ViewSpec { blacklist: vec![path.into()], ..asked.clone() };
        let failure = jail_fs::plan_at(&spec, host.root()).unwrap_err();
        assert_eq!(failure.kind, jail_sys::Kind::Usage);
        assert_eq!(failure.message, format!("{option} and --blacklist={path} contradict each other"));
    }
}

#[test]
fn a_directory_in_run_is_not_covered_by_another_option() {
    let host = Host::new();
    let spec = |tmpfs: &str| ViewSpec {
        runtime_dirs: vec!["x".into()],
        tmpfs: vec![Tmpfs { target: tmpfs.into(), size: None }],
        ..ViewSpec::default()
    };
    assert!(host.refusal(&spec("/run/x")).contains("--runtime-dir=x contradict each other"));
    assert!(host.refusal(&spec("/run")).contains("another option puts something else above it"));
    assert!(host.line(&spec("/run/y"), "/run/y").is_some());
}

#[test]
fn what_is_deeper_comes_on_top_and_nothing_is_granted_below_what_is_hidden() {
    let host = Host::new();
    let mut spec = grant("/srv/site", true);
    spec.read_only.push("/srv".into());
    let lines = host.plan(&spec).lines();
    let place = |start: &str| lines.iter().position(|line| line.starts_with(start)).unwrap();
    assert!(place("/srv  what is there") < place("/srv/site  "));
    spec.blacklist.push("/srv".into());
    assert!(host.refusal(&spec).contains("is below --blacklist=/srv, which hides it"));
}

#[test]
fn a_hidden_path_that_is_not_there_is_refused_where_the_host_could_create_it() {
    let host = Host::new();
    assert!(host.refusal(&blacklist("/etc/later")).contains("what is created there later would be seen"));
    assert!(host.plan(&blacklist("/mnt/disk")) == host.plan(&ViewSpec::default()));
    assert!(host.line(&blacklist("/var/lib/later"), "/var/lib/later").unwrap().contains("hidden"));
    assert!(host.line(&blacklist("/etc/shadow"), "/etc/shadow").unwrap().contains("hidden file"));
}

#[test]
fn a_limit_that_is_none_is_refused() {
    let host = Host::new();
    let with = |size: &str| ViewSpec {
        tmpfs: vec![Tmpfs { target: "/srv/site".into(), size: Some(size.to_owned()) }],
        ..ViewSpec::default()
    };
    let none = ["0", "", "m", "5x", "101%", "1gg", "+5m", "010m", "0x10", "5%m", "5é"];
    // 2^64 bytes, and what is 2^64 once it is rounded up to pages
    let too_large = ["17179869184g", "18014398509481984k", "18446744073709551615", "99999999999999999999"];
    for size in none.into_iter().chain(too_large) {
        let refusal = host.refusal(&with(size));
        assert!(refusal.starts_with("--tmpfs=/srv/site has no usable size"), "{size}: {refusal}");
    }
    assert!(host.line(&with("64m"), "/srv/site").unwrap().contains("up to 64 MiB of memory"));
}

#[test]
fn a_generated_file_goes_to_where_its_link_leads() {
    let host = Host::new();
    let files = vec![(PathBuf::from("/etc/resolv.conf"), "nameserver 10.0.0.1\n".to_owned())];
    let spec = ViewSpec { files, ..ViewSpec::default() };
    assert!(host.line(&spec, "/run/resolve/stub.conf").unwrap().contains("generated file, 20 bytes"));
}

#[test]
fn the_jail_has_its_own_name_in_hosts_and_hostname_unless_another_option_is_for_them() {
    let host = Host::new();
    host.file("etc/hosts", "127.0.0.1 localhost\n192.168.7.9 files\n", 0o644);
    host.file("etc/hostname", "host\n", 0o644);
    let address = Some([10, 10, 20, 10].into());
    let own = |spec: &ViewSpec| host.line(&ViewSpec { address, ..spec.clone() }, "/etc/hosts");
    let line =
        "/etc/hosts  localhost, the jail's name at 10.10.20.10, 1 entry of the host's  ro,nosuid,nodev";
    for spec in [ViewSpec::default(), grant("/etc", false)] {
        assert_eq!(own(&spec).unwrap(), line);
        assert!(
            host.line(&ViewSpec { address, ..spec }, "/etc/hostname").unwrap().contains("the jail's name")
        );
    }
    for spec in [grant("/etc/hosts", false), bind("/etc/shadow", "/etc/hosts"), blacklist("/etc/hosts")] {
        assert!(!own(&spec).unwrap().contains("localhost"), "{spec:?}");
    }
    assert_eq!(own(&blacklist("/etc")), None);
    assert_eq!(host.line(&ViewSpec::default(), "/etc/hosts"), None);
    // what others may not read on the host, the jail is not told
    host.file("etc/hosts", "192.168.7.9 files\n", 0o640);
    assert!(own(&ViewSpec::default()).unwrap().contains("0 entries"));
    std::fs::remove_file(host.path("etc/hosts")).unwrap();
    assert_eq!(own(&ViewSpec::default()), None);
}

#[test]
fn of_a_hosts_file_that_is_too_long_to_be_planned_with_nothing_is_kept() {
    let host = Host::new();
    let spec = ViewSpec { address: Some([10, 10, 20, 10].into()), ..ViewSpec::default() };
    let entry = "192.0.2.1 blocked.example\n";
    let most = (64 << 10) / entry.len();
    for (entries, kept) in [(most, format!("{most} entries")), (most + 1, "0 entries".to_owned())] {
        host.file("etc/hosts", &entry.repeat(entries), 0o644);
        assert!(host.line(&spec, "/etc/hosts").unwrap().contains(&kept));
        let note = "note: /etc/hosts: the host's is larger than 64 KiB and left out";
        assert_eq!(host.plan(&spec).lines().iter().any(|line| line.starts_with(note)), entries > most);
    }
}

#[test]
fn sockets_and_fifos_within_reach_are_named_and_no_others() {
    let host = Host::new();
    let socket = |path: &str, mode| {
        drop(UnixListener::bind(host.path(path)).unwrap());
        set_permissions(host.path(path), Permissions::from_mode(mode)).unwrap();
    };
    socket("srv/site/open.sock", 0o666);
    socket("srv/site/closed.sock", 0o770);
    host.dir("srv/site/private", 0o750);
    socket("srv/site/private/open.sock", 0o666);
    socket("run/open.sock", 0o666);
    socket("var/lib/app/open.sock", 0o666);
    for (path, mode) in [("opt/drained", "644"), ("opt/fifo", "600")] {
        let path = host.path(path);
        assert!(Command::new("mkfifo").args(["-m", mode]).arg(path).status().unwrap().success());
    }
    let doors = |spec: &ViewSpec| {
        let mut doors = host.plan(spec).doors(Closed::default());
        doors.sort_unstable();
        doors
    };
    let (drained, open) = ("/opt/drained  FIFO", "/srv/site/open.sock  socket");
    assert_eq!(doors(&ViewSpec::default()), [drained, open]);
    assert_eq!(doors(&blacklist("/srv")), [drained]);
    assert_eq!(doors(&blacklist("/srv/site/open.sock")), [drained]);
    let frozen = ViewSpec { read_only: vec!["/srv".into()], ..ViewSpec::default() };
    assert_eq!(doors(&frozen), [drained, open]);
    // whoever is the owner needs no right
    let all = ["/srv/site/closed.sock  socket", open, "/srv/site/private/open.sock  socket"];
    assert_eq!(doors(&grant("/srv/site", false))[1..], all);
    assert_eq!(doors(&bind("/run/open.sock", "/data/sock"))[0], "/data/sock  socket");
    // another wall closes what is only written to or connected to, but not where the jail may write
    let closed = |spec: &ViewSpec| host.plan(spec).doors(Closed { fifos: true, sockets: true });
    assert_eq!(closed(&ViewSpec::default()), [drained]);
    assert!(closed(&bind("/run/open.sock", "/data/sock")).contains(&"/data/sock  socket".to_owned()));
    set_permissions(host.path("opt/drained"), Permissions::from_mode(0o622)).unwrap();
    assert_eq!(closed(&ViewSpec::default()), [""; 0]);
    set_permissions(host.path("opt/drained"), Permissions::from_mode(0o644)).unwrap();
    for number in 0..60 {
        socket(&format!("opt/{number}"), 0o777);
    }
    assert_eq!(doors(&ViewSpec::default()).len(), 51);
    assert!(doors(&ViewSpec::default()).contains(&"and 12 more".to_owned()));
}

#[test]
fn what_may_be_written_to_is_told_whether_it_is_a_directory_or_a_file() {
    let host = Host::new();
    let writable = |spec: &ViewSpec| host.plan(spec).writable();
    let place = |path: &str, file| Writable { path: path.to_owned(), file };
    for own in ["/tmp", "/run", "/var/log", "/var/lib", "/dev", "/dev/shm", "/proc"] {
        assert!(writable(&ViewSpec::default()).contains(&place(own, false)), "{own}");
    }
    for shown in ["/etc", "/srv", "/usr", "/var"] {
        assert!(!writable(&ViewSpec::default()).contains(&place(shown, false)), "{shown}");
    }
    assert!(writable(&grant("/srv/site", true)).contains(&place("/srv/site", false)));
    assert!(!writable(&grant("/srv/site", false)).contains(&place("/srv/site", false)));
    assert!(writable(&bind("/etc/hosts", "/data/hosts")).contains(&place("/data/hosts", true)));
}

#[test]
fn a_plan_survives_being_written_down() {
    let host = Host::new();
    let plan = host.plan(&grant("/srv/site", true));
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<MountPlan>(&text).unwrap(), plan);
}

#[test]
fn a_whitelisted_path_leaves_nothing_else_of_its_top_directory() {
    let host = Host::new();
    host.dir("srv/site/pages", 0o755);
    host.dir("srv/other", 0o755);
    let white = |path: &str| ViewSpec { whitelist: vec![path.into()], ..ViewSpec::default() };
    let lines = host.plan(&white("/srv/site")).lines();
    let srv: Vec<_> = lines.iter().filter(|line| line.starts_with("/srv")).collect();
    assert_eq!(srv.len(), 3, "{srv:?}");
    assert!(srv[0].contains("own") && srv[1].contains("what is there  ro"), "{srv:?}");
    assert!(srv[2].starts_with("/srv/site  host ") && srv[2].contains("ro,"), "{srv:?}");
    let lines = host.plan(&white("/var/lib/app")).lines();
    assert!(lines.iter().any(|line| line.starts_with("/var/lib/app  overlay")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.starts_with("/var/log")), "{lines:?}");
    assert!(host.refusal(&white("/srv")).contains("whole top-level directory"));
    assert!(host.refusal(&white("/home/alice")).contains("does not see"));
    assert!(host.refusal(&white("/bin/x")).contains("--whitelist=/bin/x"));
}

#[test]
fn what_is_not_to_be_executed_comes_after_everything_that_is_shown_below_it() {
    let host = Host::new();
    let spec = ViewSpec { noexec: vec!["/srv".into()], ..grant("/srv/site", true) };
    let lines = host.plan(&spec).lines();
    let position = |start: &str| lines.iter().rposition(|line| line.starts_with(start)).unwrap();
    assert!(position("/srv  what is there  noexec") > position("/srv/site  host"), "{lines:?}");
    let root = ViewSpec { noexec: vec!["/".into()], ..ViewSpec::default() };
    assert!(host.refusal(&root).contains("nothing to execute"));
}

#[test]
fn the_owners_home_is_made_or_is_the_directory_that_was_named() {
    let host = Host::new();
    let owner = Owner { uid: 7, gid: 8, home: "/home/alice".into() };
    let spec = ViewSpec { owner, ..ViewSpec::default() };
    assert!(host.line(&spec, "/home").unwrap().contains("1 empty directory"));
    let private = ViewSpec { private: Some("/srv/site".into()), ..spec };
    let line = host.line(&private, "/home/alice").unwrap();
    assert!(line.contains("rw,nosuid,nodev,idmapped  (--private="), "{line}");
}

#[test]
fn another_tree_is_shown_in_the_place_of_the_hosts() {
    let host = Host::new();
    host.dir("srv/tree/usr", 0o755);
    host.dir("srv/tree/etc", 0o755);
    let tree = |path: &str| ViewSpec { root: Some(path.into()), ..ViewSpec::default() };
    let source = host.path("srv/tree/etc").display().to_string();
    assert!(host.line(&tree("/srv/tree"), "/etc").unwrap().contains(&source));
    assert!(host.line(&tree("/srv/tree"), "/opt").is_none());
    assert!(host.refusal(&tree("/srv/site")).contains("no usr"));
    assert!(host.refusal(&tree("/srv/none")).contains("no such directory"));
}

#[test]
fn the_hosts_own_etc_is_told_to_be_dangerous() {
    let host = Host::new();
    let spec = ViewSpec { writable_etc: true, ..ViewSpec::default() };
    assert!(host.line(&spec, "/etc").unwrap().contains("rw,nosuid,nodev,idmapped  (--writable-etc)"));
    let lines = host.plan(&spec).lines();
    assert!(lines.iter().any(|line| line.contains("the jail can take over the host")), "{lines:?}");
    let frozen = ViewSpec { read_only: vec!["/etc".into()], ..spec };
    assert!(host.refusal(&frozen).contains("--writable-etc and --read-only=/etc contradict each other"));
}

#[test]
fn a_file_is_read_as_the_jail_would_see_it() {
    let host = Host::new();
    host.file("srv/hosts", "another", 0o644);
    let plan = host.plan(&bind("/srv/hosts", "/etc/hosts"));
    assert_eq!(plan.read("/etc/hosts").unwrap().as_deref(), Some("another"));
    let plan = host.plan(&ViewSpec::default());
    assert_eq!(plan.read("/etc/hosts").unwrap().as_deref(), Some("127.0.0.1 localhost\n"));
    assert_eq!(plan.read("/etc/none").unwrap(), None);
    assert_eq!(plan.read("/root/key").unwrap(), None);
}
