//! What a jail leaves in a writable grant for the next start to stumble on. These tests need root.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use jail_fs::{Bind, Grant, Owners, Tmpfs, ViewSpec};
use jail_sys::op::Program;
use jail_sys::{Failure, Kind, launch};

use crate::host::{Holder, Host, IDS, on_a_host, run};

fn grant(path: &str, writable: bool) -> Grant {
    Grant { path: path.into(), writable }
}

fn grants(grants: &[(&str, bool)]) -> ViewSpec {
    let grants = grants.iter().map(|(path, writable)| grant(path, *writable)).collect();
    ViewSpec { grants, ..ViewSpec::default() }
}

fn bind(source: PathBuf, target: &str, writable: bool) -> ViewSpec {
    ViewSpec { binds: vec![Bind { source, target: target.into(), writable }], ..ViewSpec::default() }
}

fn refused(host: &Host, spec: &ViewSpec) -> Failure {
    jail_fs::plan_at(spec, host.root()).unwrap_err()
}

#[test]
fn a_link_that_a_jail_left_in_a_writable_grant_is_not_followed_at_the_next_start() {
    on_a_host(|host| {
        host.dir("srv/site/cache", 0o755);
        host.dir("etc/cron.d", 0o755);
        let (_holder, userns) = Holder::new();
        let run = |spec: &ViewSpec, script: &str| run(&host.plan(spec), Some(userns.as_fd()), 0, script);
        let mut spec = bind("/srv/site/cache".into(), "/var/cache/app", true);
        spec.grants.push(grant("/srv/site", true));
        assert_eq!(run(&spec, "rmdir /srv/site/cache && ln -s /etc/cron.d /srv/site/cache"), "");

        // nobody can tell that the link is a jail's, and who follows it gives the jail the host
        assert_eq!(fs::symlink_metadata(host.path("srv/site/cache")).unwrap().uid(), 0);
        let led = PathBuf::from("/").join(fs::read_link(host.path("srv/site/cache")).unwrap());
        assert_eq!(run(&bind(led, "/var/cache/app", true), "echo evil > /var/cache/app/evil"), "");
        assert_eq!(fs::read_to_string(host.path("etc/cron.d/evil")).unwrap(), "evil\n");

        let denied = "--bind=/srv/site/cache,/var/cache/app:rw leads through the symbolic link /srv/site/cache, \
                      which a jail could have made";
        assert_eq!(refused(host, &spec).message, denied);
        assert!(refused(host, &bind("/srv/site/cache".into(), "/var/cache/app", false)).kind == Kind::Denied);
        assert_eq!(refused(host, &grants(&[("/srv/site/cache/evil", false)])).kind, Kind::Denied);
    });
}

#[test]
fn no_option_is_for_where_a_link_leads_that_the_jail_may_have_made() {
    let host = Host::new();
    host.dir("srv/site/real", 0o755);
    symlink("real", host.path("srv/site/link")).unwrap();
    let path = || vec![PathBuf::from("/srv/site/link")];
    let site = |writable| grants(&[("/srv/site", writable)]);
    let tmpfs = vec![Tmpfs { target: "/srv/site/link".into(), size: None }];
    for (read_only, blacklist, tmpfs) in
        [(path(), vec![], vec![]), (vec![], path(), vec![]), (vec![], vec![], tmpfs)]
    {
        let spec = |writable| ViewSpec {
            read_only: read_only.clone(),
            blacklist: blacklist.clone(),
            tmpfs: tmpfs.clone(),
            ..site(writable)
        };
        let refusal = refused(&host, &spec(true)).message;
        assert!(
            refusal.ends_with("the symbolic link /srv/site/link, which the jail could have made"),
            "{refusal}"
        );
        assert!(host.line(&spec(false), "/srv/site/real").is_some());
    }
}

#[test]
fn what_takes_the_place_of_a_source_after_it_was_looked_at_is_not_shown() {
    let host = Host::new();
    let plan = host.plan(&grants(&[("/srv/site", true)]));
    let compiled = || plan.compile("web", &Owners { ids: &IDS, granted: None, shown: None });
    assert!(compiled().is_ok());
    fs::rename(host.path("srv/site"), host.path("srv/moved")).unwrap();
    symlink("moved", host.path("srv/site")).unwrap();
    assert_eq!(compiled().unwrap_err().errno, Some(libc::ELOOP));
    fs::remove_file(host.path("srv/site")).unwrap();
    host.dir("srv/site", 0o755);
    assert!(compiled().unwrap_err().message.ends_with("/srv/site has been replaced since it was looked at"));
    fs::remove_dir(host.path("srv/site")).unwrap();
    fs::rename(host.path("srv/moved"), host.path("srv/site")).unwrap();
    assert!(compiled().is_ok());
}

#[test]
fn a_link_that_takes_the_place_of_a_target_while_a_jail_starts_ends_the_start() {
    on_a_host(|host| {
        host.dir("srv/site/hidden", 0o755);
        let mut spec = grants(&[("/srv/site", true)]);
        spec.blacklist.push("/srv/site/hidden".into());
        let plan = host.plan(&spec);
        let start = || {
            let compiled = plan.compile("web", &Owners { ids: &IDS, granted: None, shown: None }).unwrap();
            launch::launch(Program { steps: compiled.steps }, libc::CLONE_NEWNS).unwrap().outcome()
        };
        fs::rename(host.path("srv/site/hidden"), host.path("srv/site/seen")).unwrap();
        symlink("/srv", host.path("srv/site/hidden")).unwrap();
        assert_eq!(start().unwrap_err().errno, Some(libc::ELOOP));
    });
}

#[test]
fn nothing_is_taken_away_where_the_jail_could_move_the_directory_that_holds_it() {
    on_a_host(|host| {
        host.dir("srv/site/above/below", 0o755);
        host.dir("srv/site/other", 0o755);
        host.dir("srv/empty", 0o755);
        let (_holder, userns) = Holder::new();
        // a mount point stays where it is, a directory above it does not
        let mounts = ["/srv/site/above/below", "/srv/site/other"];
        let mut spec = grants(&[("/srv/site", true)]);
        spec.binds.extend(mounts.map(|target| Bind {
            source: "/srv/empty".into(),
            target: target.into(),
            writable: true,
        }));
        let script = "cd /srv/site; mv other moved; mv above moved && ls";
        let seen = run(&host.plan(&spec), Some(userns.as_fd()), 0, script);
        assert!(seen.contains("'moved': Device or resource busy"), "{seen}");
        assert!(seen.ends_with("index.html\nmoved\nother\n"), "{seen}");
        fs::rename(host.path("srv/site/moved"), host.path("srv/site/above")).unwrap();

        let deep = || vec![PathBuf::from("/srv/site/above/below")];
        let with = |change: &dyn Fn(&mut ViewSpec)| {
            let mut spec = grants(&[("/srv/site", true)]);
            change(&mut spec);
            jail_fs::plan_at(&spec, host.root())
        };
        let refused: [&dyn Fn(&mut ViewSpec); 5] = [
            &|spec| spec.blacklist = deep(),
            &|spec| spec.read_only = deep(),
            &|spec| spec.tmpfs = vec![Tmpfs { target: "/srv/site/above/below".into(), size: None }],
            &|spec| spec.grants.push(grant("/srv/site/above/below", false)),
            // what is granted again can be moved with the directory it is in
            &|spec| {
                host.dir("srv/site/above/below/deep", 0o755);
                spec.grants.push(grant("/srv/site/above/below", true));
                spec.blacklist = vec!["/srv/site/above/below/deep".into()];
            },
        ];
        for change in refused {
            let failure = with(change).unwrap_err();
            let reason = "would not last: --grant=/srv/site:rw lets the jail move /srv/site/above away";
            assert!(failure.kind == Kind::Conflict && failure.message.contains(reason), "{failure}");
        }
        let lasting: [&dyn Fn(&mut ViewSpec); 4] = [
            &|spec| spec.blacklist = vec!["/srv/site/above".into()],
            &|spec| spec.read_only = vec!["/srv/site/above".into(), "/srv/site/above/below".into()],
            &|spec| spec.grants = vec![grant("/srv/site", false), grant("/srv/site/above/below", true)],
            &|spec| {
                spec.binds.push(Bind {
                    source: "/srv/empty".into(),
                    target: "/srv/site/above/below".into(),
                    writable: false,
                });
            },
        ];
        lasting.into_iter().for_each(|change| assert!(with(change).is_ok()));
    });
}
