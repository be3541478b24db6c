//! What is seen, by a process that runs with the view. These tests need root.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use jail_fs::{Bind, Grant, Tmpfs, ViewSpec};
use jail_sys::call;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::host::{Holder, Host, IDS, WWW, bind, on_a_host, run};

fn default_view(host: &Host, script: &str) -> String {
    host.see(&ViewSpec::default(), script)
}

#[test]
fn the_jails_root_reads_what_anyone_may_read_and_not_shadow() {
    on_a_host(|host| {
        assert_eq!(default_view(host, "cat /etc/hosts"), "127.0.0.1 localhost\n");
        assert!(default_view(host, "cat /etc/shadow").contains("Permission denied"));
        assert!(default_view(host, "cat /srv/site/index.html").contains("Permission denied"));
    });
}

#[test]
fn the_hosts_trees_cannot_be_written_to() {
    on_a_host(|host| {
        fs::set_permissions(host.path("srv"), fs::Permissions::from_mode(0o777)).unwrap();
        for path in ["/", "/etc", "/usr", "/srv", "/var", "/var/www", "/sys"] {
            let answer = default_view(host, &format!("touch {path}/x"));
            assert!(answer.contains("Read-only file system"), "{path}: {answer}");
        }
    });
}

#[test]
fn nothing_else_of_the_host_is_there() {
    on_a_host(|host| {
        host.file("run/host.sock", "", 0o666);
        host.file("root/key", "", 0o644);
        let seen = default_view(host, "cd /; ls -d *; ls /run /root /home /tmp");
        let shown: Vec<&str> = seen.split_whitespace().collect();
        assert_eq!(
            shown.join(" "),
            "bin dev etc home lib lib64 opt proc root run srv sys tmp usr var /home: /root: /run: lock /tmp:"
        );
    });
}

#[test]
fn a_page_deployed_on_the_host_is_served_at_once() {
    on_a_host(|host| {
        fs::create_dir(host.path("var/www/site")).unwrap();
        let fifo = host.path("var/www/fifo");
        assert!(Command::new("mkfifo").arg("-m").arg("666").arg(&fifo).status().unwrap().success());
        std::thread::scope(|scope| {
            let script = "cat /var/www/page 2>/dev/null; echo asked > /var/www/fifo; read x < /var/www/fifo; cat /var/www/page";
            let plan = host.plan(&ViewSpec::default());
            let seen = {
                let page = host.path("var/www/page");
                scope.spawn(move || {
                    assert_eq!(fs::read_to_string(&fifo).unwrap(), "asked\n");
                    fs::write(page.with_extension("new"), "new page").unwrap();
                    fs::rename(page.with_extension("new"), &page).unwrap();
                    fs::write(&fifo, "go\n").unwrap();
                });
                run(&plan, None, 0, script)
            };
            assert_eq!(seen, "new page");
        });
    });
}

#[test]
fn logs_begin_empty_in_the_hosts_directories() {
    on_a_host(|host| {
        assert_eq!(
            default_view(host, "ls /var/log/nginx; echo x > /var/log/nginx/error.log && echo ok"),
            "ok\n"
        );
        assert_eq!(fs::read_to_string(host.path("var/log/nginx/error.log")).unwrap(), "the host's");
    });
}

#[test]
fn a_service_writes_to_its_own_directory_of_var_lib_and_the_host_does_not_see_it() {
    on_a_host(|host| {
        let plan = host.plan(&ViewSpec::default());
        let script = "cd /var/lib/app; cat data; echo x > new && cat new; echo x > data";
        let seen = run(&plan, None, WWW, script);
        assert!(seen.starts_with("the host'sx\n"), "{seen}");
        assert!(seen.contains("Permission denied"), "{seen}");
        assert!(run(&plan, None, WWW + 1, "echo x > /var/lib/app/new").contains("Permission denied"));
        assert!(!host.path("var/lib/app/new").exists());
    });
}

#[test]
fn a_directory_that_others_may_not_enter_is_an_empty_one() {
    on_a_host(|host| {
        assert_eq!(
            default_view(host, "ls -A /var/lib/secret; echo x > /var/lib/secret/x && echo ok"),
            "ok\n"
        );
        assert!(!host.path("var/lib/secret/x").exists());
    });
}

#[test]
fn a_mount_below_var_lib_is_shown_read_only_and_one_deep_in_var_www_too() {
    on_a_host(|host| {
        host.dir("var/lib/data", 0o755);
        host.dir("var/www/a/b", 0o755);
        bind(&host.path("srv"), &host.path("var/lib/data"));
        bind(&host.path("srv"), &host.path("var/www/a/b"));
        assert_eq!(
            default_view(host, "ls /var/lib/data /var/www/a/b"),
            "/var/lib/data:\nsite\n\n/var/www/a/b:\nsite\n"
        );
        assert!(default_view(host, "touch /var/lib/data/x /var/www/a/b/x").contains("Read-only file system"));
    });
}

#[test]
fn proc_shows_the_jails_processes_and_its_settings_are_read_only() {
    on_a_host(|host| {
        assert_eq!(default_view(host, "cd /proc; ls -d [0-9]*").split_whitespace().next(), Some("1"));
        assert!(default_view(host, "echo 1 > /proc/sys/kernel/panic").contains("Read-only file system"));
        assert_eq!(default_view(host, "cat /proc/keys /proc/timer_list 2>/dev/null"), "");
    });
}

#[test]
fn the_devices_work_and_there_are_no_others() {
    on_a_host(|host| {
        let script = "head -c 4 /dev/urandom | wc -c; echo x > /dev/null; \
                      cd /dev; ls; ls pts; echo z > /dev/log && cat /dev/log";
        let expected =
            "4\nfd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\nptmx\nz\n";
        assert_eq!(default_view(host, script), expected);
        let script = "getconf _NPROCESSORS_ONLN; touch /dev/shm/x /tmp/x /run/x /root/x /home/x && echo ok";
        assert!(default_view(host, script).ends_with("ok\n"));
    });
}

#[test]
fn a_granted_file_has_its_owner_and_what_is_written_lands_with_the_right_one() {
    on_a_host(|host| {
        chown(host.path("srv/site"), Some(WWW), Some(WWW)).unwrap();
        chown(host.path("srv/site/index.html"), Some(WWW), Some(WWW)).unwrap();
        let (_holder, userns) = Holder::new();
        let see = |writable, script: &str| {
            let grants = vec![Grant { path: "/srv/site".into(), writable }];
            let plan = host.plan(&ViewSpec { grants, ..ViewSpec::default() });
            run(&plan, Some(userns.as_fd()), WWW, script)
        };
        assert_eq!(see(false, "cat /srv/site/index.html; stat -c %u /srv/site"), "page33\n");
        assert!(see(false, "touch /srv/site/x").contains("Read-only file system"));
        assert_eq!(see(true, "echo x > /srv/site/new && echo ok"), "ok\n");
        assert_eq!(fs::metadata(host.path("srv/site/new")).unwrap().uid(), WWW);
    });
}

#[test]
fn a_bind_is_seen_elsewhere_with_its_parents_made() {
    on_a_host(|host| {
        fs::write(host.path("home/alice/page"), "hello").unwrap();
        let of = |target: &str| {
            let bind = Bind { source: "/home/alice".into(), target: target.into(), writable: false };
            ViewSpec { binds: vec![bind], ..ViewSpec::default() }
        };
        assert_eq!(host.see(&of("/data/a/b"), "cat /data/a/b/page"), "hello");
        assert_eq!(host.see(&of("/var/lib/app/state"), "cat /var/lib/app/state/page"), "hello");
        assert_eq!(host.see(&of("/run/x/y"), "cat /var/run/x/y/page"), "hello");
    });
}

#[test]
fn a_hidden_path_cannot_be_read_nor_written() {
    on_a_host(|host| {
        let blacklist = ["/etc/hosts", "/srv", "/var/lib/app", "/proc/cpuinfo"].map(PathBuf::from).to_vec();
        let spec = ViewSpec { blacklist, ..ViewSpec::default() };
        let script = "cat /etc/hosts /proc/cpuinfo; ls /srv /var/lib/app";
        let seen = host.see(&spec, script);
        assert_eq!(seen.matches("Permission denied").count(), 4, "{seen}");
        assert!(host.see(&spec, "echo x > /etc/hosts").contains("Read-only file system"));
    });
}

#[test]
fn what_is_frozen_cannot_be_written_and_a_grant_below_it_can() {
    on_a_host(|host| {
        chown(host.path("srv/site"), Some(IDS.base), None).unwrap();
        let spec = ViewSpec {
            read_only: ["/", "/tmp", "/var/lib/app"].map(PathBuf::from).to_vec(),
            binds: vec![Bind { source: "/srv/site".into(), target: "/tmp/made/site".into(), writable: true }],
            ..ViewSpec::default()
        };
        let seen =
            host.see(&spec, "touch /tmp/x /run/x /var/lib/app/x /home/x; touch /tmp/made/site/x && echo ok");
        assert_eq!(seen.matches("Read-only file system").count(), 4, "{seen}");
        assert!(seen.ends_with("ok\n"), "{seen}");
    });
}

#[test]
fn a_directory_in_memory_has_its_limit() {
    on_a_host(|host| {
        let tmpfs = vec![Tmpfs { target: "/tmp/small".into(), size: Some("64k".to_owned()) }];
        let seen =
            host.see(&ViewSpec { tmpfs, ..ViewSpec::default() }, "head -c 100000 /dev/zero > /tmp/small/x");
        assert!(seen.contains("No space left on device"), "{seen}");
    });
}

#[test]
fn the_largest_limit_that_is_taken_is_one() {
    on_a_host(|host| {
        let tmpfs = vec![Tmpfs { target: "/tmp/large".into(), size: Some("17179869183g".to_owned()) }];
        let seen = host.see(&ViewSpec { tmpfs, ..ViewSpec::default() }, "stat -f -c %b /tmp/large");
        assert_eq!(seen.trim().parse::<u64>().unwrap_or(0), 17_179_869_183 << 18, "{seen}");
    });
}

#[test]
fn a_generated_file_is_read_by_everybody_and_written_by_nobody() {
    on_a_host(|host| {
        let files =
            ["/etc/resolv.conf", "/etc/hosts"].map(|path| (PathBuf::from(path), format!("of {path}\n")));
        let spec = ViewSpec { files: files.to_vec(), ..ViewSpec::default() };
        let plan = host.plan(&spec);
        let seen = run(&plan, None, WWW, "cat /etc/resolv.conf /etc/hosts");
        assert_eq!(seen, "of /etc/resolv.conf\nof /etc/hosts\n");
        assert!(host.see(&spec, "echo x > /etc/resolv.conf").contains("Read-only file system"));
    });
}

#[test]
fn what_the_host_mounts_later_does_not_arrive_in_the_jail() {
    on_a_host(|host| {
        let shared = MsFlags::MS_REC | MsFlags::MS_SHARED;
        mount(None::<&str>, host.root(), None::<&str>, shared, None::<&str>).unwrap();
        let later = |copy: &Path| {
            bind(&host.path("opt"), &host.path("srv/site"));
            let arrived = !copy.join("index.html").exists();
            umount2(&host.path("srv/site"), MntFlags::MNT_DETACH).unwrap();
            arrived
        };
        // a copy as it comes is a peer of the host's mount
        let plain = tempfile::tempdir().unwrap();
        let tree = call::mount::clone_tree(&host.path("srv"), true).unwrap();
        let place = File::open(plain.path()).unwrap();
        call::mount::attach(tree.as_fd(), place.as_fd()).unwrap();
        assert!(later(&plain.path().join("site")));
        umount2(plain.path(), MntFlags::MNT_DETACH).unwrap();

        let seen = run(
            &host.plan(&ViewSpec::default()),
            None,
            0,
            "grep -c -E 'shared:|master:' /proc/self/mountinfo",
        );
        assert_eq!(seen, "0\n");
    });
}
