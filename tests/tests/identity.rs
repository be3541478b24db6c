//! Who a jail is: its names, its user, its environment, where it starts and how long it runs.

use jail_tests::{Host, Snapshot};

/// A host with the user alice, who is in the group adm and has her home in /home.
fn host_with_alice() -> Host {
    let host = Host::new();
    host.sh("useradd --no-create-home --groups adm --uid 1234 alice").succeeds();
    host
}

#[test]
fn it_goes_by_another_host_name_than_its_name() {
    let host = Host::new();
    let names =
        host.jailed("--name=web --hostname=www.example.org", "hostname; hostname -f; cat /etc/hostname");
    assert_eq!(names.succeeds(), "www.example.org\nwww.example.org\nwww.example.org");
    host.jail("plan --hostname=www.example.org -- true").prints("host name   www.example.org").succeeds();
}

#[test]
fn its_command_runs_as_a_user_of_the_jail_with_its_groups_and_its_home() {
    let host = host_with_alice();
    let told = "id -un; id -Gn; echo $USER; cd; pwd; touch here && stat -c %U:%a .";
    let told = host.jailed("--user=alice", told);
    assert_eq!(told.succeeds(), "alice\nalice adm\nalice\n/home/alice\nalice:700");
    assert_eq!(host.jailed("--user=33", "id -un; echo $HOME").succeeds(), "www-data\n/var/www");
    assert_eq!(host.jailed("--user=alice:www-data", "id -Gn").succeeds(), "www-data adm");
    assert_eq!(host.jailed("--user=4321:4321", "id -u; echo $HOME").succeeds(), "4321\n/");
    host.jail("plan --user=alice -- true").prints("user        alice (1234), groups 1234 4").succeeds();
}

#[test]
fn the_user_is_looked_up_in_the_files_that_the_jail_sees() {
    let host = Host::new();
    host.write("/srv/passwd", "root:x:0:0::/root:/bin/sh\nonly-inside:x:77:78::/:/bin/sh\n");
    host.jailed("--user=only-inside", "id -u").exits(125).says_in_one_sentence(&["--user=only-inside"]);
    let inside = "--bind=/srv/passwd,/etc/passwd --user=only-inside";
    assert_eq!(host.jailed(inside, "id -u; id -g; id -un").succeeds(), "77\n78\nonly-inside");
}

#[test]
fn another_user_than_root_has_no_capability_and_may_bind_low_ports() {
    let host = Host::new();
    let sets = "grep -c '^Cap.*0000000000000000$' /proc/self/status";
    assert_eq!(host.jailed("--user=www-data", sets).succeeds(), "5");
    assert_ne!(host.jailed("", sets).stdout, "5\n");
    host.jailed("", "touch /run/x && chown 1 /run/x").succeeds();
    host.jailed("--user=www-data", "touch /run/x").fails();
    host.jailed("--user=www-data", "timeout 1 nc -l -p 80").exits(124);
}

#[test]
fn another_user_writes_to_the_output_and_the_terminal_it_was_given() {
    let host = Host::new();
    let both = host.jailed("--user=www-data", "echo out >/dev/stdout; echo err >/dev/stderr");
    assert_eq!((both.succeeds(), both.stderr.as_str()), ("out", "err\n"));
    let typed = host.sh(
        "script -q -c 'jail -q run --user=www-data -- sh -c \"echo text >$(tty)/../../pts/0; stat -c %U /dev/pts/0\"' /dev/null </dev/null",
    );
    assert!(typed.stdout.contains("www-data"), "{typed}");
}

#[test]
fn who_joins_is_the_same_user_in_the_same_place_with_the_same_environment() {
    let host = Host::new();
    let options = "--name=web --user=www-data --env=A=b --cwd=/var/www --rlimit-nofile=99";
    let told = "id; env | sort; pwd; ulimit -n; grep ^Cap /proc/self/status";
    let _jail = host.start_jailed(options, &format!("{{ {told}; }} >/tmp/told; sleep inf"));
    host.until("jail join web -- grep -q CapAmb /tmp/told").succeeds();
    let inside = host.join("web", "cat /tmp/told");
    let inside: Vec<_> =
        inside.succeeds().lines().filter(|line| !line.starts_with("SHLVL")).map(str::to_owned).collect();
    let joined = host.join("web", told);
    for line in inside.iter().filter(|line| !line.starts_with('_') && !line.starts_with("OLDPWD")) {
        joined.prints(line).succeeds();
    }
    host.jail("list").prints(":www-data:web:").succeeds();
}

#[test]
fn its_environment_is_what_was_asked_for() {
    let host = Host::new();
    let told =
        host.sh("SECRET=x jail -q run --env=A=b --env=C=d=e --rmenv=LANG --rmenv=TERM -- /usr/bin/env");
    let mut told: Vec<_> = told.succeeds().lines().collect();
    told.sort_unstable();
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(told, ["A=b", "C=d=e", "HOME=/root", path, "USER=root"]);
    host.write("/srv/bin/own", "#!/bin/sh\necho own\n");
    host.sh("chmod 755 /srv/bin/own").succeeds();
    assert_eq!(host.jail("-q run --env=PATH=/srv/bin -- own").succeeds(), "own");
}

#[test]
fn it_starts_where_it_was_told_if_its_user_may_be_there() {
    let host = Host::new();
    assert_eq!(host.jailed("--cwd=/var/www", "pwd").succeeds(), "/var/www");
    assert_eq!(host.jailed("--cwd=/root", "pwd").succeeds(), "/root");
    for options in ["--cwd=/none", "--cwd=/etc/passwd", "--user=www-data --cwd=/root"] {
        host.jailed(options, "echo it ran").exits(125).says_in_one_sentence(&["--cwd="]);
    }
}

#[test]
fn it_ends_when_its_time_is_up() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    let ended = host.jailed("--timeout=00:00:01", "sleep inf");
    ended.exits(128 + 15).says_in_one_sentence(&["--timeout"]);
    host.jailed("--timeout=00:00:01 --net=br0 --publish=80", "sleep inf").exits(128 + 15);
    host.jailed("--timeout=00:00:01", "trap 'exit 3' TERM; sleep inf & wait").exits(3).says("--timeout");
    host.jailed("--timeout=00:01:00", "exit 4").exits(4);
    host.jail("run -d --name=web --timeout=00:00:01 -- sleep inf").succeeds();
    host.until("test -z \"$(jail list)\"").succeeds();
    before.still_holds(&host);
}

#[test]
fn one_that_does_not_end_when_it_is_asked_to_is_ended_by_force() {
    let host = Host::new();
    let ended = host.jailed("--timeout=00:00:01", "trap '' TERM; while :; do sleep 1; done");
    ended.exits(128 + 9).says("--timeout");
}
