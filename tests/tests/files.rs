//! What a jail sees of the host's files: what is granted, what is taken away, and that it is live.

use jail_tests::{Host, JAIL, fetch};

/// A host with `/srv/data/file`, which belongs to the host's root and is nobody else's.
fn host_with_data() -> Host {
    let host = Host::new();
    host.write("/srv/data/file", "text");
    host.sh("chmod 700 /srv/data; chmod 600 /srv/data/file").succeeds();
    host
}

#[test]
fn a_grant_shows_what_the_host_hides_from_others_and_only_that() {
    let host = host_with_data();
    host.write("/srv/other", "text");
    host.sh("chmod 600 /srv/other").succeeds();
    host.jailed("", "cat /srv/data/file").fails();
    assert_eq!(
        host.jailed("--grant=/srv/data", "cat /srv/data/file; stat -c =%u /srv/data/file").succeeds(),
        "text=0"
    );
    host.jailed("--grant=/srv/data", "cat /srv/other").fails();
    host.jailed("--grant=/srv/data", "echo more >>/srv/data/file").fails().says("Read-only file system");
    host.jailed("--grant=/srv/data:ro", "echo more >>/srv/data/file").fails();
}

#[test]
fn what_is_written_through_a_grant_lands_with_the_right_owner() {
    let host = host_with_data();
    for option in ["--grant=/srv/data:rw", "--read-write=/srv/data"] {
        host.jailed(option, "echo more >/srv/data/new; chown www-data /srv/data/new").succeeds();
        assert_eq!(host.sh("stat -c %U /srv/data/new; cat /srv/data/new").succeeds(), "www-data\nmore");
    }
}

#[test]
fn a_bind_shows_it_elsewhere() {
    let host = host_with_data();
    assert_eq!(host.jailed("--bind=/srv/data,/opt/data", "cat /opt/data/file").status, 125);
    host.sh("mkdir /srv/shown").succeeds();
    assert_eq!(host.jailed("--bind=/srv/data,/srv/shown", "cat /srv/shown/file").succeeds(), "text");
    host.jailed("--bind=/srv/data,/srv/shown", "cat /srv/data/file").fails();
}

#[test]
fn a_bind_is_read_only_unless_it_says_otherwise() {
    let host = host_with_data();
    host.sh("mkdir /srv/shown").succeeds();
    for option in ["--bind=/srv/data,/srv/shown", "--bind=/srv/data,/srv/shown:ro"] {
        host.jailed(option, "echo >/srv/shown/new").fails().says("Read-only file system");
    }
    host.jailed("--bind=/srv/data,/srv/shown:rw", "echo >/srv/shown/new").succeeds();
    host.sh("test -e /srv/data/new").succeeds();
}

#[test]
fn a_path_of_the_hosts_may_be_relative_to_the_callers_directory() {
    let host = host_with_data();
    host.sh("mkdir /srv/shown").succeeds();
    let here = |option: &str, script: &str| host.sh(&format!("cd /srv; jail -q run {option} -- {script}"));
    assert_eq!(here("--grant=data", "cat /srv/data/file").succeeds(), "text");
    assert_eq!(here("--bind=data,/srv/shown", "cat /srv/shown/file").succeeds(), "text");
    here("--read-write=data --read-only=data", "touch /srv/data/new").fails();
    here("--blacklist=shown", "ls /srv/shown").fails();
}

#[test]
fn the_jail_goes_by_its_own_name_and_knows_the_machines_the_host_knows() {
    let host = Host::new();
    host.dmz();
    host.write("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 host.lan host\n192.168.7.9 files.lan files\n");
    let own = |options: &str, script: &str| {
        host.jailed(&format!("--name=web --net=br0 {options}"), script).succeeds().to_owned()
    };
    assert_eq!(own("", "cat /etc/hostname; hostname -f; hostname -i"), "web\nweb\n127.0.1.1");
    assert_eq!(own("--ip=10.10.20.10", "hostname -f; hostname -i"), "web\n10.10.20.10");
    assert!(own("", "getent hosts files").starts_with("192.168.7.9"));
    assert!(own("", "getent ahostsv4 localhost").starts_with("127.0.0.1"));
    assert!(own("", "getent hosts localhost").starts_with("::1"));
    host.jailed("--name=web", "getent hosts host.lan").fails();
    host.jailed("--grant=/etc/hosts", "getent hosts host.lan").prints("127.0.1.1").succeeds();
    host.jail("plan --name=web -- true")
        .prints("/etc/hosts  localhost, the jail's name at 127.0.1.1")
        .succeeds();
    // a jail that was numbered, because its name was taken, goes by that
    host.jail("run -d sh -c 'sleep inf'").prints("sh").succeeds();
    assert_eq!(host.jailed("", "hostname -f; cat /etc/hostname").succeeds(), "sh-2\nsh-2");
}

#[test]
fn read_only_takes_writing_away_again_below_a_grant() {
    let host = host_with_data();
    host.write("/srv/data/below/file", "text");
    let options = "--grant=/srv/data:rw --read-only=/srv/data/below";
    host.jailed(options, "echo >/srv/data/new").succeeds();
    host.jailed(options, "cat /srv/data/below/file").succeeds();
    host.jailed(options, "echo >/srv/data/below/new").fails().says("Read-only file system");
    host.jailed("--read-only=/srv/data", "cat /srv/data/file").fails();
}

#[test]
fn a_link_that_a_jail_leaves_does_not_lead_its_next_start_or_another_jail_to_the_host() {
    let host = host_with_data();
    host.write("/srv/data/cache/file", "text");
    let options = "--grant=/srv/data:rw --bind=/srv/data/cache,/opt:rw";
    host.jailed(options, "rm -r /srv/data/cache; ln -s /etc /srv/data/cache").succeeds();
    // it is the host root's, and leads anyone who follows it
    host.sh("stat -c %u /srv/data/cache; test -e /srv/data/cache/shadow").prints("0").succeeds();
    for options in [options, "--grant=/srv/data/cache", "--bind=/srv/data/cache/shadow,/opt"] {
        let refused = host.jailed(options, "echo it ran");
        refused.exits(125).says_in_one_sentence(&["/srv/data/cache", "symbolic link"]);
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn what_is_hidden_stays_hidden_when_the_jail_starts_again() {
    let host = host_with_data();
    host.write("/srv/data/above/key", "text");
    host.jailed("--grant=/srv/data:rw --blacklist=/srv/data/above/key", "echo it ran")
        .exits(125)
        .says("--grant=/srv/data:rw lets the jail move /srv/data/above away");
    let options = "--grant=/srv/data:rw --blacklist=/srv/data/above";
    host.jailed(options, "mv /srv/data/above /srv/data/away").fails().says("busy");
}

#[test]
fn one_path_to_read_and_to_write_is_a_contradiction() {
    let host = host_with_data();
    for options in [
        "--grant=/srv/data --grant=/srv/data:rw",
        "--read-write=/srv/data --grant=/srv/data:ro",
        "--read-write=/srv/data --read-only=/srv/data/",
        "--bind=/srv/data,/mnt:rw --read-only=/mnt",
        "--writable-etc --read-only=/etc",
        "--tmpfs=/srv/data --read-only=/srv/data",
        "--runtime-dir=x --read-only=/run/x",
    ] {
        host.jailed(options, "true").exits(2).says("contradict each other");
    }
}

#[test]
fn what_is_asked_for_and_taken_away_at_one_path_is_a_contradiction() {
    let host = host_with_data();
    for (options, named) in [
        ("--grant=/srv/data:rw --blacklist=/srv/data", "--grant=/srv/data:rw"),
        ("--read-write=/srv/data --blacklist=/srv/data", "--read-write=/srv/data"),
        ("--whitelist=/srv/data --blacklist=/srv/data", "--whitelist=/srv/data"),
        ("--tmpfs=/srv/data --blacklist=/srv/data", "--tmpfs=/srv/data"),
        ("--private=/srv/data --blacklist=/root", "--private=/srv/data"),
        ("--runtime-dir=x --tmpfs=/run/x", "--runtime-dir=x"),
        ("--blacklist=/etc --writable-etc", "--writable-etc"),
        ("--writable-var --blacklist=/var", "--writable-var"),
    ] {
        host.jailed(options, "true").exits(2).says_in_one_sentence(&[named, "contradict each other"]);
    }
}

#[test]
fn a_plan_names_the_sockets_and_fifos_that_the_jail_can_use() {
    let host = host_with_data();
    host.sh("mkfifo -m 666 /srv/fifo; mkfifo -m 600 /srv/data/closed").succeeds();
    host.jail("plan -- true").prints("  /srv/fifo  FIFO").succeeds();
    host.jail("plan --grant=/srv/data -- true").prints("  /srv/data/closed  FIFO").succeeds();
}

#[test]
fn a_tmpfs_is_empty_writable_bounded_and_gone_with_the_jail() {
    let host = host_with_data();
    let options = "--tmpfs=/srv/data:size=64k";
    host.jailed(options, "test -z \"$(ls -A /srv/data)\" && echo x >/srv/data/x").succeeds();
    host.jailed(options, "head -c 1M /dev/zero >/srv/data/x").fails().says("No space left");
    assert_eq!(host.sh("ls -A /srv/data").succeeds(), "file");
}

#[test]
fn a_blacklisted_path_cannot_be_read() {
    let host = host_with_data();
    host.sh("chmod -R a+rX /srv/data").succeeds();
    host.jailed("", "cat /srv/data/file").succeeds();
    host.jailed("--blacklist=/srv/data", "cat /srv/data/file").fails();
    host.jailed("--blacklist=/srv/data", "ls /srv/data/ | grep .").fails();
    host.jailed("--blacklist=/srv/data/file", "cat /srv/data/file").fails();
    host.jailed("--blacklist=/srv/data/file", "ls /srv/data").prints("file").succeeds();
}

#[test]
fn a_path_that_is_not_there_is_named_and_nothing_runs() {
    let host = Host::new();
    for option in
        ["--grant=/srv/none", "--bind=/srv/none,/srv", "--read-only=/srv/none", "--read-write=/srv/none"]
    {
        let refused = host.jailed(option, "echo it ran");
        refused.exits(125).says_in_one_sentence(&[option]);
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn a_page_deployed_by_rename_is_served_at_once() {
    let host = Host::new();
    host.write("/var/www/html/page.html", "first");
    host.web();
    let page = fetch(&format!("{JAIL}/page.html"));
    assert_eq!(host.sh(&page).succeeds(), "first");
    host.write("/var/www/html/.page.html.new", "second");
    host.sh("mv /var/www/html/.page.html.new /var/www/html/page.html").succeeds();
    assert_eq!(host.sh(&page).succeeds(), "second");
}

#[test]
fn a_new_page_that_was_asked_for_before_it_existed_is_served_at_once() {
    let host = Host::new();
    host.web();
    let page = fetch(&format!("{JAIL}/new/page.html"));
    host.sh(&page).exits(22).says("404");
    host.write("/var/www/html/new/page.html", "new");
    assert_eq!(host.sh(&page).succeeds(), "new");
}

#[test]
fn devices_that_programs_expect_are_there_and_no_others() {
    let host = Host::new();
    let script = "set -e; for d in null zero full random urandom tty; do test -c /dev/$d; done; \
                  echo x >/dev/null; head -c 8 /dev/urandom | wc -c; test -d /dev/shm -a -e /dev/ptmx; \
                  echo to-stdout >/dev/stdout; echo to-stderr >/dev/stderr; ls -A /dev";
    let seen = host.jailed("", script);
    assert!(seen.succeeds().starts_with("8\nto-stdout\n"), "{seen}");
    assert_eq!(seen.stderr, "to-stderr\n");
    host.jailed("", "ls /dev | grep -E '^(vda|sda|mem|kmsg|loop)'").fails();
}

#[test]
fn home_root_and_tmp_are_empty_and_its_own() {
    let host = Host::new();
    for options in ["", "--private"] {
        assert_eq!(host.jailed(options, "ls -A /root /home /tmp | grep -v :").stdout.trim(), "");
        host.jailed(options, "for d in /root /home /tmp; do echo x >$d/x || exit 1; done").succeeds();
    }
}
