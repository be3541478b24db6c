//! What a jail sees instead of the usual: another home, another tree, less of a directory, the host's own /etc or /var.

use jail_tests::Host;

#[test]
fn a_directory_of_the_hosts_is_its_home_and_keeps_what_it_writes() {
    let host = Host::new();
    host.sh("mkdir -m 700 /srv/home; echo text >/srv/home/file; chmod 600 /srv/home/file").succeeds();
    assert_eq!(host.jailed("--private=/srv/home", "cat ~/file; echo new >~/new").succeeds(), "text");
    assert_eq!(host.sh("cat /srv/home/new; stat -c %U /srv/home/new").succeeds(), "new\nroot");
    host.sh("chown -R www-data /srv/home").succeeds();
    let options = "--private=/srv/home --user=www-data";
    assert_eq!(host.jailed(options, "cd; pwd; cat file; touch own").succeeds(), "/var/www\ntext");
    assert_eq!(host.sh("stat -c %U /srv/home/own").succeeds(), "www-data");
    host.jailed("--private", "test -z \"$(ls -A /root)\"").succeeds();
    for (options, named) in [
        ("--private=/srv/home --grant=/srv/home", "--grant=/srv/home"),
        ("--private=/srv/home --private=/srv", "--private=/srv"),
    ] {
        host.jailed(options, "true").exits(2).says_in_one_sentence(&["--private=/srv/home", named]);
    }
    host.jailed("--private=/srv/none", "true").exits(125).says_in_one_sentence(&["--private=/srv/none"]);
    host.jailed("--private=/srv/home --seccomp=none", "true").exits(125).says("--private=/srv/home");
}

/// Mounts below a shown directory: two of the kernel's own, one of them deeper, one that is covered, and others.
const CHROOT: &str = "mkdir -p /srv/chroot/proc /srv/chroot/data /srv/chroot/under; cd /srv/chroot
    mount -t proc proc proc; mount -t tmpfs data data; echo kept >data/file; mkdir data/pts
    mount -t devpts -o newinstance pts data/pts; touch version; mount --bind /proc/version version
    mount -t proc proc under; mount -t tmpfs over under; touch under/covers";

#[test]
fn what_is_the_kernels_own_is_hidden_wherever_it_is_mounted_and_plan_says_so() {
    let host = Host::new();
    host.sh(CHROOT).succeeds();
    let plan = host.sh("jail plan -- true");
    for (path, what) in [("proc", "directory"), ("data/pts", "directory"), ("version", "file")] {
        let fs = if path == "data/pts" { "devpts" } else { "proc" };
        plan.prints(&format!("/srv/chroot/{path}  hidden {what}: the kernel's own ({fs})\n"));
    }
    assert!(!plan.succeeds().contains("/srv/chroot/under"));
    let seen = "cat data/file; ls under; ls proc data/pts 2>&1 | grep -v denied; cat version 2>/dev/null";
    for options in [
        "",
        "--userns=identity",
        "--userns=host",
        "--grant=/srv/chroot",
        "--grant=/srv:rw --grant=/srv/chroot",
        "--bind=/srv/chroot,/srv/chroot:rw",
        "--read-only=/srv/chroot --noexec=/srv",
    ] {
        let found = host.jailed(options, &format!("cd /srv/chroot; {seen}; true"));
        assert_eq!(found.succeeds(), "kept\ncovers", "{options}");
    }
    host.jailed("--bind=/srv/chroot,/mnt/x:rw", "cd /mnt/x && cat data/file && ! ls proc/1").succeeds();
    host.jailed("--whitelist=/srv/chroot/data", "cd /srv/chroot/data && cat file && ! ls pts/ptmx")
        .succeeds();
    host.jailed("--grant=/srv/chroot:rw", "echo new >/srv/chroot/data/new").succeeds();
    assert_eq!(host.sh("cat /srv/chroot/data/new").succeeds(), "new");
    host.jailed("--tmpfs=/srv/chroot/proc", "touch /srv/chroot/proc/own").succeeds();
}

#[test]
fn what_is_the_kernels_own_is_not_had_by_a_part_of_it_nor_in_the_place_of_a_tree() {
    let host = Host::new();
    host.sh(CHROOT).succeeds();
    for option in [
        "--grant=/srv/chroot/proc/1",
        "--bind=/srv/chroot/proc/1,/mnt/x",
        "--tmpfs=/srv/chroot/proc/1",
        "--whitelist=/srv/chroot/proc",
        "--whitelist=/srv/chroot/proc/1",
    ] {
        host.jailed(option, "true").exits(125).says_in_one_sentence(&[option]);
    }
    host.sh("mount -t proc proc /opt").succeeds();
    host.sh("jail plan -- true").prints("/opt is not shown: it is the kernel's own (proc)").succeeds();
    host.jailed("", "test ! -e /opt").succeeds();
}

#[test]
fn nothing_is_executed_below_a_noexec_path_whatever_is_shown_there() {
    let host = Host::new();
    host.sh("mkdir -p /srv/a/b; cp /bin/true /srv/a/b/t").succeeds();
    let script = "cp /bin/true /tmp/t && /tmp/t";
    host.jailed("", script).succeeds();
    host.jailed("--noexec=/tmp", script).exits(126).says("Permission denied");
    host.jailed("--noexec=/srv", "/srv/a/b/t").exits(126);
    host.jailed("--noexec=/srv --grant=/srv/a/b:rw", "touch /srv/a/b/x; /srv/a/b/t").exits(126);
    host.jailed("--grant=/srv/a/b:rw", "touch /srv/a/b/x; /srv/a/b/t").succeeds();
    host.jailed("--noexec=/srv/none", "true").exits(125).says_in_one_sentence(&["--noexec=/srv/none"]);
    host.jailed("--noexec=/", "true").exits(125).says_in_one_sentence(&["--noexec=/"]);
}

#[test]
fn a_runtime_directory_is_the_commands_own() {
    let host = Host::new();
    host.jailed("--user=www-data", "mkdir /run/web").fails();
    let made =
        host.jailed("--user=www-data --runtime-dir=web", "touch /run/web/pid; stat -c %U:%G:%a /run/web");
    assert_eq!(made.succeeds(), "www-data:www-data:755");
    assert_eq!(host.jailed("--runtime-dir=sshd", "stat -c %U:%a /run/sshd").succeeds(), "root:755");
    for name in ["a/b", "..", "", "lock"] {
        host.jailed(&format!("--runtime-dir={name}"), "true")
            .exits(2)
            .says_in_one_sentence(&["--runtime-dir"]);
    }
}

#[test]
fn of_the_directory_of_a_whitelisted_path_nothing_else_is_seen() {
    let host = Host::new();
    host.sh(
        "cd /srv; mkdir -p www/site www/other granted; touch www/site/page www/other/page beside granted/x",
    )
    .succeeds();
    let all = "find /srv -type f | sort";
    host.jailed("", all).prints("/srv/beside").succeeds();
    let white = "--whitelist=/srv/www/site";
    assert_eq!(host.jailed(white, all).succeeds(), "/srv/www/site/page");
    for path in ["/srv/x", "/srv/www/x", "/srv/www/site/x"] {
        host.jailed(white, &format!("touch {path}")).fails().says("Read-only file system");
    }
    let two = host.jailed(
        &format!("{white} --whitelist=/srv/beside --grant=/srv/granted:rw"),
        &format!("touch /srv/granted/y; {all}"),
    );
    assert_eq!(two.succeeds(), "/srv/beside\n/srv/granted/x\n/srv/granted/y\n/srv/www/site/page");
    host.sh("touch /srv/www/site/later").succeeds();
    host.jailed(white, "test -e /srv/www/site/later -a -e /usr/bin/env -a -e /etc/passwd").succeeds();
}

#[test]
fn what_is_the_jails_own_stays_so_when_it_is_whitelisted() {
    let host = Host::new();
    host.sh("mkdir -p /var/lib/app/state /var/lib/app2; touch /var/lib/app/file").succeeds();
    let white = "--whitelist=/var/lib/app --whitelist=/var/log";
    let seen = host
        .jailed(white, "ls /var /var/lib; test -e /var/lib/app/file; touch /var/lib/app/state/x /var/log/x");
    assert_eq!(seen.succeeds(), "/var:\nlib\nlog\n\n/var/lib:\napp");
    host.sh("test ! -e /var/lib/app/state/x -a ! -e /var/log/x").succeeds();
    for (path, why) in [
        ("/srv/none", "does not see"),
        ("/home/x", "does not see"),
        ("/bin/sh", "/usr/bin/"),
        ("/proc/self", "own"),
    ] {
        host.jailed(&format!("--whitelist={path}"), "true").exits(125).says_in_one_sentence(&[path, why]);
    }
    host.jailed("--whitelist=/srv", "true").exits(2).says_in_one_sentence(&["--whitelist=/srv"]);
}

/// A host with a system of its own in /srv/tree, made of links and copies of what the host has.
fn host_with_tree() -> Host {
    let host = Host::new();
    host.sh("set -e; mkdir -p /srv/tree/usr /srv/tree/srv /srv/tree/var/lib /srv/tree/var/log /srv/tree/root
         mount --bind /usr /srv/tree/usr; cp -a /etc /srv/tree/etc; cd /srv/tree
         for dir in bin lib lib64 sbin; do ln -s usr/$dir $dir; done
         echo 'only-there:x:77:77::/home/only-there:/bin/sh' >>etc/passwd
         echo page >srv/page; echo secret >root/secret; echo secret >srv/secret; chmod 600 srv/secret")
        .succeeds();
    host
}

#[test]
fn another_tree_is_shown_as_the_hosts_would_be() {
    let host = host_with_tree();
    host.sh("touch /srv/of-the-host").succeeds();
    let options = "--root=/srv/tree --user=only-there";
    assert_eq!(
        host.jailed(options, "id -un; cat /srv/page; ls /srv").succeeds(),
        "only-there\npage\npage\nsecret"
    );
    for script in ["cat /srv/secret", "cat /etc/shadow", "ls /root/secret", "touch /srv/x", "touch /etc/x"] {
        host.sh(&format!("chroot /srv/tree sh -c '{script}'")).succeeds();
        host.jailed("--root=/srv/tree", script).fails();
    }
    host.jailed("--root=/srv/tree", "touch /var/log/x /var/lib/x /tmp/x; test ! -e /srv/tree").succeeds();
    host.sh("test ! -e /srv/tree/var/log/x -a ! -e /srv/tree/var/lib/x").succeeds();
    host.jailed("--root=/srv/tree --grant=/srv/of-the-host", "true").exits(125);
    host.sh("mkdir /srv/tree/srv/data /srv/data; touch /srv/data/of-the-host").succeeds();
    host.jailed("--root=/srv/tree --grant=/srv/data:rw", "touch /srv/data/x; test -e /srv/data/of-the-host")
        .succeeds();
    host.sh("test -e /srv/data/x").succeeds();
    host.jail("plan --root=/srv/tree -- true").prints("host /srv/tree/etc").succeeds();
    for (dir, why) in [("/srv/none", "no such directory"), ("/srv/data", "no usr")] {
        host.jailed(&format!("--root={dir}"), "true").exits(125).says_in_one_sentence(&["--root=", why]);
    }
}

#[test]
fn the_hosts_own_etc_and_var_are_written_to_only_by_name() {
    let host = Host::new();
    for (option, file) in [("--writable-etc", "/etc/new"), ("--writable-var", "/var/log/new")] {
        host.jailed("", &format!("touch {file} && test {file} = /etc/new")).fails();
        host.sh(&format!("test ! -e {file}")).succeeds();
        host.jailed(option, &format!("touch {file}")).succeeds();
        assert_eq!(host.sh(&format!("stat -c %U {file}")).succeeds(), "root");
        host.jailed(option, &format!("chmod u+s {file}")).fails();
        host.jail(&format!("plan {option} -- true"))
            .prints("note: /")
            .prints("is the host's own and can be written to")
            .succeeds();
        host.jailed(&format!("{option} --seccomp=none"), "true").exits(125).says_in_one_sentence(&[option]);
    }
    let both = host.jailed("--writable-etc --read-only=/etc", "true");
    both.exits(2).says_in_one_sentence(&["--writable-etc", "--read-only=/etc"]);
}
