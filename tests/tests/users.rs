//! Jails of an ordinary user: the same as root's but for what docs/users.md tells.

use jail_tests::{Host, Output, by_user, quote};

fn host() -> Host {
    let host = Host::new();
    host.add_user();
    host
}

/// Runs a script in a jail of the user's.
#[track_caller]
fn jailed(host: &Host, options: &str, script: &str) -> Output {
    assert!(!script.contains('\''), "{script}");
    host.as_user(&format!("jail -q run {options} -- bash -c '{script}'"))
}

#[test]
fn its_root_is_the_user_and_nobody_else_is_there() {
    let host = host();
    jailed(&host, "", "id -u; id -g; echo $HOME $USER; hostname").prints("0\n0\n/root root\n").succeeds();
    let map = jailed(&host, "", "cat /proc/self/uid_map /proc/self/gid_map");
    // Through the outer namespace, whose map says which user of the host's that is.
    assert_eq!(map.succeeds().split_whitespace().collect::<Vec<_>>(), ["0", "0", "1", "0", "0", "1"]);
    host.as_user("jail -q run -d --name=web -- sleep inf").succeeds();
    let pid = host.as_user("jail list | cut -d: -f1");
    assert_eq!(host.sh(&format!("stat -c %u /proc/{}", pid.succeeds())).succeeds(), "1234");
    host.as_user("jail stop web").succeeds();
}

#[test]
fn it_makes_no_namespace_no_mount_and_no_name_and_changes_nothing_of_its_users() {
    let host = host();
    // The canaries: root of namespaces of one's own does these.
    for script in [
        "unshare --user true",
        "unshare --mount true",
        "mount -t tmpfs x /tmp",
        "mount --bind /usr /srv",
        "umount /proc",
        "hostname x",
        "ip link set lo down",
        "echo 1 >/proc/sys/user/max_user_namespaces",
    ] {
        let open = "unshare --map-root-user --mount --net --uts --pid --fork --mount-proc";
        host.as_user(&format!("{open} bash -c {}", quote(script))).succeeds();
        jailed(&host, "", script).fails();
    }
    // And any user these.
    host.as_user("touch /srv/user/own").succeeds();
    for script in ["echo x >>/srv/user/own", "touch /srv/user/new", "rm /srv/user/own"] {
        jailed(&host, "", script).fails();
        host.as_user(script).succeeds();
    }
    let seen = jailed(&host, "", "ls -d /proc/[0-9]* | wc -l");
    assert!(seen.succeeds().parse::<u32>().unwrap() < 6, "{seen}");
    // Without the filter the limit says no.
    jailed(&host, "--seccomp=none", "unshare --user true").fails();
}

#[test]
fn what_lists_joins_and_stops_jails_knows_the_users_own() {
    let host = host();
    let plan = host.as_user("jail plan -- true");
    plan.prints("its root is the user who starts it").succeeds();
    host.as_user("jail -q run -d --name=web -- sleep inf").succeeds();
    host.as_user("jail list").prints(":root:web:sleep inf").succeeds();
    host.as_user("jail tree web").prints("sleep inf").succeeds();
    assert_eq!(host.as_user("jail inspect web").json()["userns"], "own");
    host.as_user("jail join web -- id -u").prints("0").succeeds();
    host.as_user("jail join web -- unshare --user true").fails();
    host.as_user("jail join web -- mount -t tmpfs x /tmp").fails();
    assert_eq!(host.jail("list").succeeds(), "");
    host.as_user("jail stop web; ls /run/user/1234/jail/jails; test ! -e /run/jail").succeeds();
    assert_eq!(host.sh("ls /run/user/1234/jail/jails").succeeds(), "");
    host.as_user("jail -q run -- sh -c \"exit 7\"").exits(7);
    host.as_user("jail -q run --timeout=00:00:01 -- sleep inf").exits(143);
}

#[test]
fn a_killed_supervisor_takes_its_jail_along_and_gc_removes_the_rest() {
    let host = host();
    host.as_user("jail -q run -d --name=web -- sleep inf").succeeds();
    let init = host.as_user("jail list | cut -d: -f1").succeeds().to_owned();
    let supervisor =
        host.sh(&format!("awk '/^PPid/ {{ print $2 }}' /proc/{init}/status")).succeeds().to_owned();
    host.as_user(&format!("kill -9 {supervisor}")).succeeds();
    host.until(&format!("! test -e /proc/{init}")).succeeds();
    host.as_user("jail gc").prints("removed jail web").succeeds();
    assert_eq!(host.sh("ls /run/user/1234/jail/jails").succeeds(), "");
}

#[test]
fn root_believes_nothing_of_a_users_state() {
    let host = host();
    host.as_user("jail -q run -d --name=web -- sleep inf").succeeds();
    host.as_user("jail list").prints(":web:").succeeds();
    for command in ["list", "tree", "inspect web", "join web -- id", "stop web", "gc"] {
        let told = host.jail(&format!("--state-dir=/run/user/1234/jail {command}"));
        told.exits(125).says_in_one_sentence(&["/run/user/1234/jail/jails", "somebody else"]);
    }
    host.as_user("jail stop web").succeeds();
}

#[test]
fn a_grant_has_the_users_files_as_its_roots_and_takes_no_set_id_file() {
    let host = host();
    host.as_user("mkdir /srv/user/shared; echo mine >/srv/user/shared/file; chmod 600 /srv/user/shared/file")
        .succeeds();
    let granted = "--grant=/srv/user/shared:rw";
    let owner = jailed(&host, granted, "stat -c %u:%g /srv/user/shared/file; echo new >/srv/user/shared/new");
    owner.prints("0:0").succeeds();
    assert_eq!(host.sh("stat -c %u:%g /srv/user/shared/new").succeeds(), "1234:1234");
    jailed(&host, "--grant=/srv/user/shared", "touch /srv/user/shared/x").fails();
    let plan = host.as_user(&format!("jail plan {granted} -- true"));
    assert!(plan.succeeds().contains("/srv/user/shared") && !plan.stdout.contains("idmapped"), "{plan}");
    let planted = "cp /bin/true /srv/user/shared/t && chmod 4755 /srv/user/shared/t";
    host.as_user(&format!("{planted}; test -u /srv/user/shared/t && rm /srv/user/shared/t")).succeeds();
    jailed(&host, granted, planted).fails();
    assert_eq!(host.sh("find /srv/user -perm /6000").succeeds(), "");
    jailed(&host, "--seccomp=none --grant=/srv/user/shared:rw", "true").exits(125).says("set-user-ID");
}

#[test]
fn a_grant_for_writing_may_hold_what_its_user_cannot_enter_but_nothing_that_cannot_be_looked_at() {
    let host = host();
    let shared = "--grant=/srv/user/shared:rw";
    host.as_user("mkdir /srv/user/shared").succeeds();
    host.sh("cd /srv/user/shared; mkdir -m 700 theirs; mkdir -m 744 listed; mkdir theirs/mount; echo s >theirs/file; touch listed/x
             mount -t tmpfs tmpfs theirs/mount; mkdir -m 700 mount; mount -t tmpfs -o mode=700 tmpfs mount")
        .succeeds();
    jailed(&host, shared, "echo new >/srv/user/shared/new").succeeds();
    for closed in
        ["cat /srv/user/shared/theirs/file", "ls /srv/user/shared/mount", "ls -l /srv/user/shared/listed/x"]
    {
        host.sh(closed).succeeds();
        jailed(&host, shared, closed).fails();
    }
    for options in ["--writable-var", "--writable-etc"] {
        host.sh("mkdir -p -m 700 /var/lib/theirs /etc/theirs").succeeds();
        jailed(&host, options, "true").succeeds();
    }
    // What the jail could enter, or open for itself.
    for open in ["install -d -m 711 other", "install -d -m 000 -o 1234 other"] {
        host.sh(&format!("cd /srv/user/shared; {open}")).succeeds();
        jailed(&host, shared, "true").exits(125).says_in_one_sentence(&["other", "run as root"]);
        host.sh("rmdir /srv/user/shared/other").succeeds();
    }
    // It was root that put this there, and it is seen.
    host.sh("cd /srv/user/shared; mkdir seen; cp /bin/true seen; chmod 4755 seen/true").succeeds();
    jailed(&host, shared, "true").exits(125).says("seen/true is a set-user-ID program");
}

#[test]
fn nginx_serves_on_port_80_of_its_own_network_and_on_8080_of_the_hosts() {
    let host = host();
    let config = |port: u16| {
        host.write(
            "/etc/nginx/user.conf",
            &format!(
                "user root; worker_processes 1; pid /run/nginx.pid; daemon off; events {{}}\n\
                 http {{ access_log /var/log/nginx/a.log; server {{ listen {port}; return 200 served; }} }}\n"
            ),
        );
    };
    config(80);
    let start = |options: &str| {
        host.as_user(&format!("jail -q run -d --name=web {options} -- nginx -c /etc/nginx/user.conf"))
            .succeeds();
    };
    start("");
    host.until(&by_user("jail join web -- curl -sf http://127.0.0.1/")).prints("served").succeeds();
    host.sh("curl -s --max-time 2 http://127.0.0.1/").fails();
    host.as_user("jail stop web").succeeds();
    config(8080);
    start("--net=host");
    host.until("curl -sf http://127.0.0.1:8080/").prints("served").succeeds();
    host.as_user("jail stop web").succeeds();
}

#[test]
fn what_takes_root_says_so_in_one_sentence() {
    let host = host();
    for option in ["--net=br0", "--userns=host", "--userns=identity", "--user=www-data"] {
        let refused = jailed(&host, option, "echo it ran");
        refused.exits(125).says_in_one_sentence(&[option, "needs root"]);
    }
    for command in ["net create dmz --subnet=10.1.2.0/24 --bridge=br7", "net list", "plan --net=br0 -- true"]
    {
        host.as_user(&format!("jail {command}")).exits(125).says_in_one_sentence(&["root"]);
    }
    let backends = host.as_user("jail --json backends").json();
    assert!(backends.as_array().unwrap().iter().all(|backend| backend["usable"] == false), "{backends}");
    let nowhere = host.as_user("XDG_RUNTIME_DIR=/run/nowhere jail run -- true");
    nowhere.exits(125).says_in_one_sentence(&["/run/nowhere/jail", "XDG_RUNTIME_DIR"]);
}

#[test]
fn a_mount_below_var_lib_makes_it_read_only_and_plan_says_so() {
    let host = host();
    jailed(&host, "", "touch /var/lib/new").succeeds();
    host.sh("mkdir -p /srv/lib/inner; mount --bind /srv/lib /var/lib; mount -t tmpfs x /var/lib/inner")
        .succeeds();
    host.as_user("jail plan -- true").prints("/var/lib is read-only").succeeds();
    jailed(&host, "", "test -d /var/lib/inner; ! touch /var/lib/new").succeeds();
}

#[test]
fn what_is_the_kernels_own_is_hidden_where_root_alone_could_leave_it_out() {
    let host = host();
    host.sh("cd /srv; mkdir -p chroot/proc apart private/proc closed/proc; mount -t proc proc chroot/proc
        mount -t tmpfs apart apart; mount --make-unbindable apart; mkdir apart/proc; mount -t proc proc apart/proc
        mount -t proc proc private/proc; chmod 700 private
        mount -t proc proc closed/proc; chmod 0 closed; chown 1234 chroot closed")
        .succeeds();
    let plan = host.as_user("jail plan -- true");
    // Its root enters what is the user's own in spite of the mode, and what is another's it does not.
    for path in ["chroot/proc", "apart/proc", "closed"] {
        plan.prints(&format!("/srv/{path}  hidden directory: the kernel's own (proc)\n"));
    }
    assert!(!plan.succeeds().contains("/srv/private"));
    let nothing = "cd /srv; ls -d */proc/1 && exit 1; test -d chroot/proc";
    for options in ["", "--grant=/srv/chroot:rw --grant=/srv/closed", "--read-only=/srv"] {
        jailed(&host, options, nothing).succeeds();
    }
    jailed(&host, "--bind=/srv/chroot,/mnt/x:rw", "test -d /mnt/x/proc -a ! -e /mnt/x/proc/1").succeeds();
    jailed(&host, "--bind=/srv/chroot/proc,/mnt/x", "test -e /mnt/x/1").succeeds(); // that very one was named
    jailed(&host, "--bind=/srv/chroot/proc/1,/mnt/x", "true")
        .exits(125)
        .says("/srv/chroot/proc is the kernel's own");
}
