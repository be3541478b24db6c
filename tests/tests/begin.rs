//! What a jail's processes begin with, and what those that wait beside it hold: nothing of the caller's that was not
//! named, nothing of the host's that could be used against it.

use jail_tests::{Host, quote};

/// The filter lets keys be used.
const KEYS: &str = "--seccomp=!keyctl,!add_key,!request_key";

/// Whose numbers its users have.
const USERNS: [&str; 3] = ["--userns=auto", "--userns=identity", "--userns=host"];

#[test]
fn a_descriptor_that_is_named_arrives_under_its_number_and_no_other_does() {
    let host = Host::new();
    host.write("/srv/kept", "kept");
    host.sh("mkfifo /srv/pipe").succeeds();
    let seen = "ls /proc/self/fd | tr '\\n' ' '; cat <&7";
    let open = |command: &str| host.sh(&format!("exec 7</srv/kept 8<>/srv/pipe 9</srv/kept; {command}"));
    for userns in USERNS {
        let run = format!("jail -q run {userns} --keep-fd=8,7 -- sh -c {}", quote(seen));
        assert_eq!(open(&run).succeeds(), "0 1 2 3 7 8 kept", "3 is ls's own");
    }
    open("jail -q run --keep-fd=7 --keep-fd=9 -- sh -c 'cat <&9'").prints("kept").succeeds();
    open("jail plan --keep-fd=7 -- true").prints("descriptor  7: /srv/kept").succeeds();
    open("jail -q run -d --name=web --keep-fd=8 -- sh -c 'echo through >&8; sleep inf'").succeeds();
    assert_eq!(host.sh("exec 8<>/srv/pipe; head -1 <&8").succeeds(), "through");
    assert_eq!(host.jail("inspect web").json()["plan"]["keep_fds"][0]["file"], "/srv/pipe");
    assert_eq!(host.join("web", "ls /proc/self/fd | tr '\\n' ' '").succeeds().trim(), "0 1 2 3");
    // Who reads is told the end once the jail has closed it: neither init nor the supervisor has it.
    let holders = host.sh("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c ' /srv/pipe$'");
    assert_eq!(holders.stdout.trim(), "2", "the command's shell and what it runs: {holders}");
}

#[test]
fn a_descriptor_that_is_not_the_users_or_leads_out_is_refused() {
    let host = Host::new();
    for number in 3..32 {
        // Whoever runs the tests may have left some open.
        let closed = "for n in {3..31}; do eval \"exec $n<&-\"; done";
        let refused = host.sh(&format!("{closed}; jail run --keep-fd={number} -- true"));
        refused.exits(2).says_in_one_sentence(&["--keep-fd=", "no such descriptor is open"]);
    }
    host.jail("run --keep-fd=all -- true").exits(2).says_in_one_sentence(&["--keep-fd=all"]);
    host.sh("jail run --keep-fd=7 -- true 7</srv")
        .exits(2)
        .says_in_one_sentence(&["--keep-fd=7", "--grant=/srv"]);
    assert_eq!(host.jail("list").succeeds(), "");
}

#[test]
fn what_it_was_given_to_read_it_cannot_write_to_where_its_root_is_the_owner_either() {
    let host = Host::new();
    let written = |number: u8| format!("cat <&{number} && echo theirs >/proc/self/fd/{number}");
    let intact = || assert_eq!(host.sh("cat /srv/file").succeeds(), "mine");
    for (number, options) in [(0, ""), (7, "--keep-fd=7")] {
        host.sh("echo mine >/srv/file").succeeds();
        host.sh(&format!("({}) {number}</srv/file", written(number))).prints("mine").succeeds();
        assert_eq!(host.sh("cat /srv/file").succeeds(), "theirs");
        host.sh("echo mine >/srv/file").succeeds();
        for userns in ["auto", "identity", "host"] {
            let run = format!("jail -q run --userns={userns} {options} -- sh -c {}", quote(&written(number)));
            host.sh(&format!("{run} {number}</srv/file")).prints("mine");
            intact();
        }
    }
    let without = "jail run --userns=identity --seccomp=none --keep-fd=7 -- true 7</srv/file";
    host.sh(without).exits(125).says_in_one_sentence(&["--keep-fd=7", "set-user-ID"]);
    host.jail("plan --userns=identity --keep-fd=7 -- true 7</srv/file")
        .prints("can change its mode")
        .succeeds();
}

#[test]
fn the_keys_of_the_callers_session_are_not_its() {
    let host = Host::new();
    let read = "keyctl print $(keyctl request user of-the-caller) || exit 1";
    let with_key = |command: &str| {
        let add = "keyctl add user of-the-caller secret @s >/dev/null";
        host.sh(&format!("exec keyctl session - bash -c {}", quote(&format!("{add}; {command}"))))
    };
    with_key(read).prints("secret").succeeds();
    // Only where it has ids of its own there is a filter that lets keys be used.
    for options in [KEYS, "--userns=identity --seccomp=none"] {
        let inside = format!("jail -q run {options} -- sh -c {}", quote(read));
        with_key(&inside).fails();
        let _jail = host.start_jailed(&format!("--name=web {options}"), "sleep inf");
        with_key(&format!("jail join web -- sh -c {}", quote(read))).fails();
        host.join("web", "keyctl show @s").succeeds();
        host.jail("stop --timeout=1 web").succeeds();
    }
}

/// Reads a key of its user's on the host by the numbers of their keyring and of the key.
const BY_NUMBER: &str = "key=$(keyctl add user by-number secret @u); ring=$(keyctl id @u)
    for options in OPTIONS; do
        jail -q run $options -- sh -c \"keyctl link $ring @s; keyctl print $key\" 2>&1
    done; keyctl unlink $key @u";

#[test]
fn the_keys_of_a_user_of_the_hosts_are_not_its() {
    let host = Host::new();
    host.add_user();
    let by_number = |options: &[&str]| {
        let options: Vec<_> = options.iter().map(|options| quote(options)).collect();
        BY_NUMBER.replace("OPTIONS", &options.join(" "))
    };
    // The canary: with no filter at all they are, and the plan says so.
    let identity = by_number(&["--userns=identity --seccomp=none"]);
    assert_eq!(host.sh(&identity).succeeds(), "secret");
    assert_eq!(host.as_user(&by_number(&["--seccomp=none"])).succeeds(), "secret");
    let note = "note: --seccomp=none: its users are the host's";
    host.jail("plan --userns=identity --seccomp=none -- true").prints(note).succeeds();
    host.as_user("jail plan --seccomp=none -- true").prints(note).succeeds();
    let none = host.jail("plan --seccomp=none -- true");
    assert!(!none.succeeds().contains(note), "{none}");
    // With users of its own it may use keys, and finds its own only.
    let own = host.sh(&by_number(&[KEYS, "--seccomp=none"]));
    assert!(!own.succeeds().contains("secret"), "{own}");
    // Else a filter lets none be used.
    let said = ["lets add_key through", "users are the host's"];
    for options in
        [KEYS, "--seccomp=!@keyring", "--seccomp.keep=read,@default-keep,add_key", "--seccomp.drop=mount"]
    {
        host.jail(&format!("run --userns=identity '{options}' -- true")).exits(2).says_in_one_sentence(&said);
        host.as_user(&format!("jail run '{options}' -- true")).exits(2).says_in_one_sentence(&said);
    }
    let refused = host.as_user(&by_number(&["--seccomp.drop=mount,@keyring"]));
    assert!(!refused.succeeds().contains("secret"), "{refused}");
}

#[test]
fn neither_the_callers_groups_nor_its_session_nor_its_umask_come_along() {
    let host = Host::new();
    let told = "grep ^Groups: /proc/$$/status; umask; read -r _ _ _ _ _ session rest </proc/$$/stat; \
                test $session = $$ && echo leads";
    let caller =
        |command: &str| host.sh(&format!("umask 0; exec setpriv --groups=4,24 sh -c {}", quote(command)));
    caller(told).prints("4 24").prints("0000").exits(1);
    let inside = quote(told);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let own = ["Groups:", "0022", "leads"];
    for userns in USERNS {
        assert_eq!(words(caller(&format!("jail -q run {userns} -- sh -c {inside}")).succeeds()), own);
        let _jail = host.start_jailed(&format!("--name=web {userns}"), "sleep inf");
        assert_eq!(words(caller(&format!("jail join web -- sh -c {inside}")).succeeds()), own);
        host.jail("stop --timeout=1 web").succeeds();
    }
}

#[test]
fn its_environment_is_its_own() {
    let host = Host::new();
    host.sh("touch /srv/none.so").succeeds();
    let caller = |command: &str| {
        let set =
            "LD_LIBRARY_PATH=/srv LD_AUDIT= SECRET=x BASH_ENV=/srv/x PYTHONPATH=/srv GLIBC_TUNABLES=x=y";
        host.sh(&format!("LANG=C.UTF-8 TERM=dumb {set} {command}"))
    };
    caller("env").prints("SECRET=x").prints("LD_LIBRARY_PATH").succeeds();
    let _jail = host.start_jailed("--name=web", "sleep inf");
    for command in ["jail -q run -- env", "jail join web -- env"] {
        let told = caller(command);
        let mut names: Vec<_> = told.succeeds().lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "LANG", "PATH", "TERM", "USER"], "{told}");
    }
}

/// Waits for a process whose executable is the file $1, keeps that executable, and writes to it when it may: while it
/// runs, it may not. Gives up when there is a file $2. Prints what it could.
const OVERWRITE: &str = "#!/bin/bash
    until [ /dev/fd/9 -ef $1 ]; do
        for exe in /proc/[0-9]*/exe; do [ $exe -ef $1 ] && exec 9<$exe && break; done 2>/dev/null
        [ ! -e $2 ] || { echo never; exit; }
    done
    until { echo '#!/bin/true' >/proc/self/fd/9; } 2>/dev/null; do [ ! -e $2 ] || { echo kept; exit; }; done
    echo overwritten";

#[test]
fn no_script_makes_our_executable_run_where_it_could_be_overwritten() {
    let host = Host::new();
    host.sh("mkdir /srv/bin /srv/told; cp $(dirname $(command -v jail))/{jail,*.so} /srv/bin; cp /srv/bin/jail /srv/jail")
        .succeeds();
    host.write("/srv/overwrite", OVERWRITE);
    host.write("/srv/script", "#!/proc/self/exe\n");
    host.sh("chmod +x /srv/overwrite /srv/script").succeeds();
    let attack = "/srv/overwrite /srv/bin/jail /srv/told/end";
    let fresh = "cp --remove-destination /srv/jail /srv/bin/jail; rm -f /srv/told/*";
    let again = |command: &str| {
        format!("for i in {{1..200}}; do {command}; done >/dev/null 2>&1; touch /srv/told/end; wait")
    };
    let intact = || host.sh("cmp /srv/jail /srv/bin/jail");

    // The canary: the attacker is the host's root, and our program runs in its reach.
    host.sh(fresh).succeeds();
    host.sh(&format!("{attack} & {}", again("/srv/bin/jail list"))).prints("overwritten").succeeds();
    intact().fails();

    // With ids of its own it may see the program, which does no harm to it, where there is no Landlock to keep that from
    // being executed; otherwise it never meets it.
    const WITHOUT_LANDLOCK: &str = "without 444 "; // landlock_create_ruleset(2)
    let ways = [
        ("auto", WITHOUT_LANDLOCK, "kept", 2),
        ("auto", "", "never", 126),
        ("identity", "", "never", 2),
        ("host", "", "never", 2),
    ];
    for (userns, kernel, seen, status) in ways {
        host.sh(fresh).succeeds();
        let inside = quote(&format!("{attack} >/srv/told/seen; exec sleep inf"));
        let start = format!("-q run -d --name=web --userns={userns} --grant=/srv/told:rw -- sh -c {inside}");
        host.sh(&format!("{kernel}/srv/bin/jail {start}")).succeeds();
        host.sh(&again(&format!("{kernel}/srv/bin/jail join web -- /srv/script"))).succeeds();
        host.until("test -s /srv/told/seen").succeeds();
        assert_eq!(host.sh("cat /srv/told/seen").succeeds(), seen, "{kernel}--userns={userns}");
        let run = host.sh(&format!("{kernel}/srv/bin/jail -q run --userns={userns} -- /srv/script"));
        let is_ours = run.exits(status).stderr.contains("there is no command /srv/script");
        assert_eq!(is_ours, seen == "kept", "{run}");
        intact().succeeds();
        host.sh("/srv/jail stop --timeout=1 web").succeeds();
    }
}

#[test]
fn no_library_of_a_jails_runs_outside_it() {
    let host = Host::new();
    host.dmz();
    // Whoever loads it leaves a file: root of the host in /run, www-data of the jail in its own /tmp.
    host.write(
        "/srv/planted.c",
        "#include <fcntl.h>\n__attribute__((constructor)) static void ran(void) \
         { if (open(\"/run/planted\", O_CREAT, 0666) < 0) open(\"/tmp/planted\", O_CREAT, 0666); }\n",
    );
    host.sh("cc -shared -fPIC -o /srv/planted.so /srv/planted.c").succeeds();
    host.sh("LD_PRELOAD=/srv/planted.so /bin/true; rm /run/planted").succeeds();
    host.sh("set -e; mkdir -p /run/up /run/work /srv/tree/etc /srv/tree/usr; cd /srv/tree
         mount -t overlay x -o lowerdir=/usr,upperdir=/run/up,workdir=/run/work usr
         for dir in bin sbin lib lib64; do ln -s usr/$dir $dir; done
         cp /etc/passwd /etc/group etc; cp /srv/planted.so etc; echo /etc/planted.so >etc/ld.so.preload
         echo 'passwd: planted files' >etc/nsswitch.conf
         for name in planted files compat dns; do
             cp /srv/planted.so usr/lib/$(uname -m)-linux-gnu/libnss_$name.so.2
         done")
        .succeeds();
    let options = "--root=/srv/tree --net=br0 --publish=80 --user=www-data";
    let command = "sh -c 'test -e /tmp/planted && exec sleep inf'";
    host.jail(&format!("-q run -d --name=web {options} -- {command}")).succeeds();
    for command in ["list", "tree", "inspect web", "join web -- id"] {
        host.jail(command).succeeds();
    }
    // The canary: inside it is loaded.
    host.join("web", "test -e /tmp/planted").succeeds();
    host.jail("stop web").succeeds();
    host.jail(&format!("-q run {options} -- true")).succeeds();
    host.jail("gc").succeeds();
    host.sh("test -e /run/planted").fails();
}

#[test]
fn what_waits_beside_a_jail_holds_exactly_what_it_needs() {
    let host = Host::new();
    host.dmz();
    let all = host.sh("awk '/^CapPrm/ { print $2 }' /proc/self/status");
    let all = all.succeeds();
    let (none, kill, remove) = ("0000000000000000", "0000000000000020", "000000000000000a");
    for (name, network) in [("alone", ""), ("web", "--net=br0")] {
        let start = format!("-q run -d --name={name} {network} -- sleep inf");
        host.sh(&format!("exec 7</etc/shadow 8</; cd /srv; SECRET=x jail {start}")).succeeds();
        let pids = host.sh(&format!(
            "init=$(jail list | sed -n 's/^\\([0-9]*\\):[^:]*:{name}:.*/\\1/p'); echo $init; \
             awk '/^PPid/ {{ print $2 }}' /proc/$init/status"
        ));
        let pids: Vec<&str> = pids.succeeds().lines().collect();
        let [init, supervisor] = pids.as_slice() else { panic!("{pids:?}") };
        // Inheritable, permitted, effective, bounding, ambient; no_new_privs; seccomp.
        let state = |pid: &str| {
            let status = host.sh(&format!(
                "awk '/^(Cap|NoNewPrivs|Seccomp:)/ {{ print $2 }}' /proc/{pid}/status; grep ^Groups: /proc/{pid}/status"
            ));
            status.succeeds().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        host.until(&format!("grep -q ^Seccomp:.2 /proc/{init}/status")).succeeds();
        assert_eq!(state(init), [none, kill, kill, kill, none, "1", "2", "Groups:"], "{name}'s init");
        let expected = match network.is_empty() {
            true => [none, remove, remove, remove, none, "1", "2", "Groups:"],
            false => [none, all, none, all, none, "0", "0", "Groups:"],
        };
        host.until(&format!("grep -q ^CapEff:.{} /proc/{supervisor}/status", expected[2])).succeeds();
        assert_eq!(state(supervisor), expected, "{name}'s supervisor");

        let open = |pid: &str| {
            let files = host
                .sh(&format!("readlink /proc/{pid}/fd/* | sed 's/:.*//; s#/[0-9a-f]*$#/#' | sort | uniq -c"));
            files.succeeds().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(open(init), "3 / 1 anon_inode 1 pipe");
        let files = open(supervisor);
        for kept in ["3 /dev/null", "1 /run/jail/uid/", "2 anon_inode", "1 pipe"] {
            assert!(files.contains(kept), "{files}");
        }
        assert!(!files.contains("shadow") && !files.contains("/srv"), "{files}");

        let environment = host.sh(&format!(
            "tr '\\0' '\\n' </proc/{init}/environ | wc -l; grep -c SECRET /proc/{supervisor}/environ"
        ));
        let told = if network.is_empty() { "0\n0" } else { "0\n1" };
        assert_eq!(environment.stdout.trim(), told, "{environment}");
        assert_eq!(host.sh(&format!("readlink /proc/{supervisor}/cwd")).succeeds(), "/");
        let both = format!("/proc/{init}/smaps_rollup /proc/{supervisor}/smaps_rollup");
        let memory = host.sh(&format!("awk '/^Pss:/ {{ kb += $2 }} END {{ print kb }}' {both}"));
        assert!(memory.succeeds().parse::<u32>().unwrap() < 400, "{memory}");
    }
    // With what it gave up, it takes back all the host was given.
    host.jail("stop web alone").succeeds();
    assert_eq!(
        host.sh("ls /run/jail/jails /run/jail/uid /run/jail/address | grep -v :$ | xargs").succeeds(),
        "clean"
    );
}

#[test]
fn a_program_of_many_threads_that_never_rest_starts_and_joins_jails() {
    let embedder = concat!(env!("CARGO_BIN_EXE_embedder"), " 60");
    let host = Host::new();
    host.add_user();
    for output in [host.sh(embedder), host.as_user(embedder)] {
        output.prints("60 starts").prints("nothing is left").succeeds();
    }
}
