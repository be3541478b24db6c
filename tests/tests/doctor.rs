//! What a host lacks: an error before anything runs, with what to do; `jail doctor` says the same beforehand.

use jail_tests::{Host, Output, Snapshot};

/// What is named, and the number of the missing system call, which most machines share.
const TAKEN: [(&str, i64); 7] = [
    ("open_tree", 428),
    ("mount new root", 429),
    ("fsmount", 432),
    ("clone3", 435),
    ("openat2", 437),
    ("mount_setattr", 442),
    ("landlock_restrict_self", 446), // while landlock_create_ruleset is there
];
const LANDLOCK_CREATE_RULESET: i64 = 444;
const CLOSE_RANGE: i64 = 436;
const SECCOMP: i64 = if cfg!(target_arch = "x86_64") { 317 } else { 277 };

/// `jail`, on a kernel without a system call.
fn without(host: &Host, number: i64, arguments: &str) -> Output {
    host.sh(&format!("without {number} jail {arguments}"))
}

#[test]
fn a_host_that_has_it_all_is_told_so_and_is_as_before() {
    let host = Host::new();
    let before = Snapshot::of(&host);
    let told = host.jail("doctor");
    let lines: Vec<_> = told.succeeds().lines().collect();
    assert!(lines[0].starts_with("works   a jail by its defaults: "), "{told}");
    assert!(lines.iter().all(|line| !line.starts_with("lacks")), "{told}");
    for tried in ["a second wall", "--grant=/srv", "--userns=identity", "--backend=nft", "--backend=macvlan"]
    {
        told.prints(&format!(" {tried}: "));
    }
    let as_json = host.jail("--json doctor").json();
    assert_eq!(as_json.as_array().map(Vec::len), Some(lines.len()), "{as_json}");
    assert_eq!(as_json[0]["state"], "works");
    before.still_holds(&host);
}

#[test]
fn a_system_call_that_is_missing_is_an_error_before_anything_runs_and_the_doctor_names_it() {
    let host = Host::new();
    host.sh("mkdir /srv/out").succeeds();
    let run = "run --grant=/srv/out:rw -- touch /srv/out/ran";
    for (call, number) in TAKEN {
        without(&host, number, run).exits(125).says_in_one_sentence(&[call]);
        without(&host, number, "doctor").exits(1).prints("lacks   a jail by its defaults: ").prints(call);
    }
    // Without it no command of ours starts.
    for command in [run, "doctor"] {
        without(&host, CLOSE_RANGE, command).exits(125).says_in_one_sentence(&["close_range", "Linux 5.15"]);
    }
    assert_eq!(host.sh("ls /srv/out; jail list").succeeds(), "");
    host.jail(run).succeeds();
    host.sh("ls /srv/out/ran").succeeds();
}

#[test]
fn what_one_may_do_without_is_told_by_the_option_that_does() {
    let host = Host::new();
    without(&host, SECCOMP, "run -- true").exits(125).says_in_one_sentence(&["--seccomp=none"]);
    without(&host, SECCOMP, "doctor").exits(1).prints("--seccomp=none does without");
    without(&host, SECCOMP, "run --seccomp=none -- true").succeeds();
    without(&host, LANDLOCK_CREATE_RULESET, "run -- true").succeeds();
    without(&host, LANDLOCK_CREATE_RULESET, "doctor")
        .prints("partly  a second wall: landlock: not enforced")
        .succeeds();
}

#[test]
fn a_file_system_whose_owners_cannot_be_mapped_is_named_with_the_option_that_would_need_it() {
    let host = Host::new();
    host.sh("set -e; mkdir /run/lower /run/upper /run/work
         mount -t overlay overlay /srv -o lowerdir=/run/lower,upperdir=/run/upper,workdir=/run/work")
        .succeeds();
    host.jail("run --grant=/srv -- true").exits(125).says_in_one_sentence(&["--grant=/srv", "file system"]);
    host.jail("run -- true").succeeds();
    let told = host.jail("doctor");
    told.exits(1).prints("works   a jail by its defaults: ").prints("lacks   --grant=/srv: ");
    told.prints("works   --grant=/etc: ");
}

#[test]
fn a_host_without_a_firewall_tool_is_told_which_to_install() {
    let host = Host::new();
    let told =
        host.sh("mount --bind /dev/null /usr/sbin/nft; rm /etc/alternatives/iptables-restore; jail doctor");
    told.exits(1).prints("lacks   --backend=nft: ").prints("lacks   --backend=iptables: ");
    told.prints("install").prints("works   --backend=bridge: ");
}

#[test]
fn a_jail_that_died_is_named() {
    let host = Host::new();
    host.dmz();
    let mut jail = host.start("echo $$; exec jail run --name=web --net=br0 -- sleep inf");
    let pid = jail.line();
    host.until("jail list | grep sleep").succeeds();
    host.sh(&format!("kill -KILL {pid}")).succeeds();
    jail.wait().exits(137);
    host.jail("doctor").exits(1).prints("lacks   what jails leave: ").prints("jail gc");
    host.jail("gc").succeeds();
    host.jail("doctor").succeeds();
}

#[test]
fn a_user_is_told_what_users_have() {
    let host = Host::new();
    host.add_user();
    let told = host.as_user("jail doctor");
    assert!(told.succeeds().starts_with("works   a jail by its defaults: user first and last"), "{told}");
    assert!(!told.stdout.contains("--backend"), "{told}");
}
