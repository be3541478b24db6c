//! What bad input answers: a sentence, or an object, that names what the user wrote; and nothing has run.

use jail_tests::{Host, Output, Snapshot};

#[test]
fn nonsense_on_the_command_line_is_a_usage_error() {
    let host = Host::new();
    for arguments in [
        "",
        "no-such-command",
        "run",
        "run --no-such-option -- true",
        "run -p nonsense -- true",
        "run -p 0 -- true",
        "run -p 80/sctp -- true",
        "run --ip=nonsense --net=br0 -- true",
        "run --egress=nonsense -- true",
        "run --timeout=5 -- true",
        "run --timeout=00:00:00 -- true",
        "run --env=X -- true",
        "run --userns=none -- true",
        "run --seccomp-error-action=EACCESS -- true",
        "run --rlimit-nofile=x -- true",
        "run --rlimit-nofile=2:1 -- true",
        "run --rlimit-NAME=1 -- true",
        "-q -v run -- true",
        "stop",
        "join",
        "net create x",
    ] {
        let refused = host.jail(arguments);
        refused.exits(2);
        assert!(!refused.stderr.is_empty() && refused.stdout.is_empty(), "{refused}");
    }
}

#[test]
fn a_value_that_no_host_could_make_sense_of_is_a_usage_error_in_a_sentence() {
    let host = Host::new();
    host.dmz();
    for (option, named) in [
        ("--name=7", "--name=7"),
        ("--name=a/b", "--name=a/b"),
        (&format!("--name={}", "x".repeat(64)), "--name="),
        ("--runtime-dir=$'a\\nb'", "letters, digits"),
        ("--runtime-dir=' '", "letters, digits"),
        ("--seccomp=@no_such_group", "@no_such_group"),
        ("--seccomp=no_such_call", "no_such_call"),
        ("--tmpfs=/tmp/x:size=zz", "zz"),
        ("--tmpfs=x", "--tmpfs=x"),
        ("--tmpfs=/mnt:siz=1", "size=SIZE"),
        ("--tmpfs=/mnt,size=5", "--tmpfs=/mnt:size=5"),
        ("--private=", "--private: there is a value missing"),
        ("--seccomp=", "--seccomp: there is a value missing"),
        ("--grant=/srv:rx", "'rx'"),
        ("--grant=../srv", "'..'"),
        ("--bind=/srv,there", "'there'"),
        ("--bind=/srv:rw,/tmp/x", "--bind=/srv,/tmp/x:rw"),
        ("--publish=80", "--net"),
        ("--hostname=a_b", "--hostname=a_b"),
        ("--env==x", "--env==x"),
        ("--env=A=b --rmenv=A", "--rmenv=A"),
        ("--cwd=srv", "--cwd=srv"),
        ("--user=:adm", "--user=:adm"),
        ("--user=65536:0", "65536"),
        ("--caps.keep=chwon", "chown"),
        ("--caps.keep=all", "--caps.drop=all"),
        ("--caps.keep=chown --caps.drop=all", "--caps.drop=all"),
        ("--seccomp=none --seccomp.keep=read", "--seccomp.keep=read"),
        ("--seccomp=none --seccomp", "--seccomp and --seccomp=none contradict each other"),
        ("--seccomp=mount --seccomp=none", "--seccomp=none and --seccomp=mount contradict each other"),
        ("--seccomp=none,mount", "--seccomp=none and --seccomp=mount contradict each other"),
        ("--seccomp=none --seccomp=none", "given twice"),
        ("--seccomp=", "a value missing"),
        ("--seccomp.drop=", "a value missing"),
        ("--caps.keep=", "a value missing"),
        ("--net=", "a value missing"),
        ("--caps.keep=...,chown", "jail plan"),
        ("--net=br0 --mtu=foo", "'foo' is not an MTU"),
        ("--net=br0 --defaultgw=foo", "'foo' is not an IPv4 address"),
        ("--net=br0 --dns=foo", "'foo' is not a machine's IP address"),
        ("--seccomp.drop=moutn", "mount"),
        ("--protocol=packet", "packet"),
        ("--seccomp=none --protocol=unix", "--protocol=unix"),
        ("--noexec=../x", "'..'"),
        ("--ip=10.10.20.10", "--net"),
    ] {
        let refused = host.jailed(option, "echo it ran");
        refused.exits(2).says_in_one_sentence(&[named]);
        assert_eq!(refused.stdout, "", "{option}");
    }
    for words in ["a/b --subnet=10.9.9.0/24", "x --subnet=10.9.9.0/31", "x --subnet=224.0.0.0/24"] {
        host.jail(&format!("net create {words}")).exits(2).says_in_one_sentence(&["network"]);
    }
}

#[test]
fn a_value_of_any_length_is_told_in_a_sentence_that_can_be_read() {
    let host = Host::new();
    host.dmz();
    let long = "$(head -c 100000 /dev/zero | tr '\\0' x)";
    for arguments in [
        "run --name=",
        "run --hostname=",
        "run --user=",
        "run --cwd=",
        "run --timeout=",
        "run --keep-fd=",
        "run --private=",
        "run --grant=",
        "run --bind=",
        "run --read-only=",
        "run --noexec=",
        "run --runtime-dir=",
        "run --tmpfs=",
        "run --whitelist=",
        "run --root=",
        "run --seccomp=",
        "run --rlimit-nofile=",
        "run --net=br0 --ip=",
        "run --net=br0 --mac=",
        "run --net=br0 --mtu=",
        "run --net=br0 --defaultgw=",
        "run --dns=",
        "run --net=",
        "run --net=br0 -p ",
        "run --egress=",
        "run --",
        "run -- ",
        "--backend=",
        "--plugin-dir=",
        "--state-dir=/",
        "join ",
        "net create ",
        "",
    ] {
        for json in ["", "--json "] {
            let command = if arguments.starts_with("--") { " run -- true" } else { " true" };
            let refused = host.jail(&format!("{json}{arguments}{long}{command}"));
            assert!([2, 125, 126].contains(&refused.status), "{arguments}: {}", refused.status);
            assert!(
                (10..2000).contains(&refused.stderr.len()),
                "{arguments}: {} bytes",
                refused.stderr.len()
            );
            refused.says_in_one_sentence(&[]);
        }
    }
}

#[test]
fn a_usage_error_as_json_is_the_same_object() {
    let host = Host::new();
    for (arguments, named) in [
        ("run", "a command is missing"),
        ("run --no-such-option -- true", "--no-such-option"),
        ("run --publish=x -- true", "--publish"),
        ("run --name=7 -- true", "--name=7"),
        ("stop x --timeout=-1", "--timeout"),
    ] {
        let refused = host.jail(&format!("--json {arguments}"));
        refused.exits(2);
        let object: serde_json::Value =
            serde_json::from_str(&refused.stderr).unwrap_or_else(|e| panic!("{e}: {refused}"));
        assert_eq!(object["error"]["operation"], "parse");
        assert!(object["error"]["message"].as_str().unwrap().contains(named), "{refused}");
    }
}

#[test]
fn an_error_as_json_has_every_field() {
    let host = Host::new();
    let refused = host.jail("--json run --grant=/srv/none -- echo it ran");
    refused.exits(125);
    assert_eq!(refused.stdout, "");
    let object: serde_json::Value =
        serde_json::from_str(&refused.stderr).unwrap_or_else(|e| panic!("{e}: {refused}"));
    let error = object["error"].as_object().unwrap();
    let mut keys: Vec<_> = error.keys().collect();
    keys.sort();
    assert_eq!(keys, ["errno", "hint", "message", "object", "operation", "stage"]);
    assert_eq!(error["stage"], "filesystem");
    assert!(error["errno"].is_null() || error["errno"] == 2, "{refused}");
    assert!(error["object"].as_str().unwrap().contains("/srv/none"), "{refused}");
    assert!(!error["hint"].as_str().unwrap().is_empty(), "{refused}");
}

#[test]
fn an_error_of_the_command_as_json_says_so() {
    let host = Host::new();
    let missing = host.jail("--json run -- no-such-command");
    missing.exits(127);
    let object: serde_json::Value =
        serde_json::from_str(&missing.stderr).unwrap_or_else(|e| panic!("{e}: {missing}"));
    assert_eq!(object["error"]["stage"], "command");
}

#[test]
fn where_the_machines_state_cannot_be_kept_the_remedy_helps() {
    let host = Host::new();
    let full = |options: &str, arguments: &str| {
        let mount = format!("mkdir -p /run/jail; mount -t tmpfs -o mode=700,{options} full /run/jail");
        let told = host.sh(&format!("unshare -m sh -c '{mount}; jail -q {arguments}'"));
        told.exits(125);
        told
    };
    let told = full("ro", "--state-dir=/srv/state run -- echo it ran");
    told.says_in_one_sentence(&["/run/jail/uid", "Read-only", "whatever --state-dir says"]);
    full("nr_inodes=2", "run -- echo it ran").says_in_one_sentence(&["No space left", "df -i /run/jail"]);
    let own =
        "mkdir /srv/ro; mount -t tmpfs -o ro,mode=700 x /srv/ro; jail -q --state-dir=/srv/ro run -- true";
    host.sh(&format!("unshare -m sh -c '{own}'"))
        .exits(125)
        .says_in_one_sentence(&["/srv/ro/jails", "choose another place with --state-dir"]);
}

#[test]
fn where_the_machines_state_runs_full_nothing_is_left_of_the_jail() {
    for firewall in ["nft", "iptables"] {
        let host = Host::new();
        host.dmz();
        host.sh("mkdir -p /run/jail").succeeds();
        let sweep = format!(
            "for n in $(seq 1 40); do mount -t tmpfs -o mode=700,nr_inodes=$n full /run/jail
             jail -q --backend={firewall} run --net=br0 -p 80 -- true 2>/run/told && {{ umount /run/jail; break; }}
             grep -q 'No space left on device; make room there' /run/told || cat /run/told
             grep 'something of it is left' /run/told
             ls -A /run/jail/jails /run/jail/address /run/jail/networked 2>/dev/null | grep -v -e : -e '^$'
             nft list tables | grep -w jail; iptables-save | grep JAIL; umount /run/jail; done"
        );
        assert_eq!(host.sh(&format!("unshare -m sh -c \"{}\"", sweep.replace('$', "\\$"))).stdout, "");
    }
}

#[test]
fn a_jail_ends_without_a_trace_also_where_its_firewalls_lock_is_gone_and_there_is_no_room() {
    for firewall in ["nft", "iptables"] {
        let host = Host::new();
        host.dmz();
        let before = Snapshot::of(&host);
        host.sh("mkdir -p /run/jail; mount -t tmpfs -o mode=700,nr_inodes=60 full /run/jail").succeeds();
        host.jail(&format!("--backend={firewall} run -d --name=web --net=br0 -p 80 -- sleep inf")).succeeds();
        host.sh("rm /run/jail/*-gate.lock /run/jail/nft.lock /run/jail/iptables.lock").says("cannot remove");
        host.sh("i=0; while echo >/run/jail/x$i; do i=$((i + 1)); done").says("No space left");
        host.jail("stop web").succeeds();
        assert_eq!(host.sh("find /run/jail/jails /run/jail/networked -mindepth 1").succeeds(), "");
        host.sh("umount /run/jail").succeeds();
        before.still_holds(&host);
    }
}

#[test]
fn a_root_that_is_not_the_hosts_or_lacks_capabilities_is_told_so() {
    let host = Host::new();
    for poor in ["unshare -Ur", "setpriv --bounding-set=-all --inh-caps=-all"] {
        for userns in ["auto", "identity", "host"] {
            let told = host.sh(&format!("{poor} jail -q run --userns={userns} -- echo it ran"));
            told.exits(125).says_in_one_sentence(&["the host's own root"]);
            assert_eq!(told.stdout, "");
        }
    }
}

#[test]
fn a_host_that_lets_no_program_in_memory_run_is_told_the_setting() {
    let host = Host::new();
    // Of the host's pid namespace, which is its own.
    host.sh("sysctl -q vm.memfd_noexec=2").succeeds();
    let remedy = ["memfd_create", "sysctl vm.memfd_noexec=1"];
    host.jail("run -- true").exits(125).says_in_one_sentence(&remedy);
    host.jail("doctor").prints("sysctl vm.memfd_noexec=1").exits(1);
    let host = Host::new();
    host.sh("sysctl -q vm.memfd_noexec=1").succeeds();
    host.jail("-q run -- true").succeeds();
}

#[test]
fn a_host_without_proc_is_told_to_mount_it() {
    let host = Host::new();
    host.sh("mount -t tmpfs tmpfs /proc; jail doctor; umount /proc").prints("mount -t proc proc /proc");
}

#[test]
fn a_limit_on_the_size_of_files_is_told_and_leaves_nothing_and_the_jail_is_ended_by_its_own() {
    let host = Host::new();
    let limited = host.sh("ulimit -f 0; jail run -- true");
    limited.exits(125).says_in_one_sentence(&["/run/jail/", "File too large", "ulimit -f"]);
    assert_eq!(host.sh("ls /run/jail/jails /run/jail/uid | grep -v :$ | xargs").succeeds(), "");
    let own = "head -c 9999 /dev/zero >/tmp/x";
    host.jailed("--rlimit-fsize=9999", own).succeeds();
    host.jailed("--rlimit-fsize=999", own).exits(128 + libc::SIGXFSZ);
    let _jail = host.start_jailed("--name=web", "sleep inf");
    host.join("web", "ulimit -f 0; echo >/tmp/x").exits(128 + libc::SIGXFSZ);
}

#[test]
fn a_script_without_its_interpreter_is_not_said_to_be_missing_itself() {
    let host = Host::new();
    host.write("/srv/script", "#!/srv/none\n");
    host.sh("chmod 755 /srv/script").succeeds();
    host.jail("-q run -- /srv/script").exits(127).says_in_one_sentence(&["/srv/script", "interpreter"]);
}

#[test]
fn what_cannot_be_had_is_refused_and_nothing_runs() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    for options in ["--net=br9", "--net=br0 --ip=10.10.99.1", "--seccomp=no_such_call", "--ip=10.10.20.10"] {
        let refused = host.jailed(options, "echo it ran");
        assert!([2, 125].contains(&refused.status), "{options}: {refused}");
        assert_eq!(refused.stdout, "", "{options}");
    }
    before.still_holds(&host);
}

#[test]
fn a_jail_without_a_command_is_told_what_to_type() {
    let host = Host::new();
    for arguments in ["run", "run --", "run ''", "run ' '", "plan ''"] {
        host.jail(arguments).exits(2).says_in_one_sentence(&["command is", "like", "bash"]);
    }
}

#[test]
fn who_comes_from_firejail_is_told_where_an_option_is_at_home() {
    let host = Host::new();
    for (arguments, place) in [
        ("--list", "jail list"),
        ("--tree", "jail tree"),
        ("--join=web", "jail join web"),
        ("--shutdown=web", "jail stop web"),
        ("--net=br0 -- nginx", "jail run --net=br0 ..."),
        ("rnu -- nginx", "did you mean run?"),
    ] {
        host.jail(arguments).exits(2).says_in_one_sentence(&[place]);
    }
}

#[test]
fn an_unknown_option_is_told_with_the_nearest_right_one() {
    let host = Host::new();
    for (option, nearest) in [
        ("--runtime-dirs=x", "--runtime-dir"),
        ("--rlimit-nofiles=4", "--rlimit-nofile"),
        ("--rlimit-NOFILE=4", "--rlimit-nofile"),
        ("--caps.kep=chown", "--caps.keep"),
        ("--hostnme=x", "--hostname"),
    ] {
        host.jailed(option, "true").exits(2).says(nearest);
    }
}

#[test]
fn each_step_of_a_start_is_told_when_that_was_asked_for_and_only_then() {
    let host = Host::new();
    host.dmz();
    let told = host.jail("--debug run --net=br0 -- true");
    for step in ["lease", "clone3", "attach", "pivot_root", "seccomp", "execve  true"] {
        told.says(step).succeeds();
    }
    let failed = host.jail("-v run --cwd=/none -- true");
    failed.exits(125).says("pivot_root").says("--cwd=/none: chdir: No such file");
    assert!(!failed.stderr.contains("seccomp"), "{failed}");
    assert_eq!(host.jail("-q run --net=br0 -- true").stderr, "");
}

#[test]
fn help_fits_on_a_page_and_names_the_common_things() {
    let host = Host::new();
    let narrow = |help: &Output| {
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 80), "{help}");
    };
    let help = host.jail("--help");
    narrow(&help);
    assert!(help.stdout.lines().count() <= 24, "{help}");
    for word in ["--backend", "--plugin-dir", "--state-dir", "--json", "--quiet", "--debug"] {
        help.prints(word).succeeds();
    }
    for word in ["run", "list", "join", "stop", "net"] {
        help.prints(word).succeeds();
    }
    let run = host.jail("run --help");
    narrow(&run);
    run.prints("6000-6010").prints("jail plan").succeeds();
    assert_eq!(host.jail("help").stdout, help.stdout);
    assert_eq!(host.jail("help run").stdout, run.stdout);
    for heading in ["Identity:", "Files:", "Filter:", "Network:", "--publish", "--grant", "--net"] {
        run.prints(heading).succeeds();
    }
    host.jail("--version").prints(env!("CARGO_PKG_VERSION")).succeeds();
}
