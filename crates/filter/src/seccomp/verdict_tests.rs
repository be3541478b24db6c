//! Runs compiled filters in a small BPF interpreter, over every system call and the arguments that matter.

use libc::{EAFNOSUPPORT, EINVAL, ENOSYS, EPERM};

use super::action::ErrorAction;
use super::filter::{Filter, build};
use super::profile::Profile;
use super::protocol::Protocol;
use super::rules::{Rules, SeccompSpec};
use super::table::{CALLS, Standing, call};
use super::verdict::Answer;
use crate::caps::Caps;

#[path = "../../tests/support/bpf.rs"]
mod bpf;

use bpf::{I386, NATIVE, data};

/// What the filter answers, and how many instructions that took.
fn run(filter: &Filter, data: &[u32; 16]) -> (u32, usize) {
    bpf::run(filter.instructions(), data)
}

fn filter(option: &str) -> Filter {
    let spec = match option {
        "" => SeccompSpec::default(),
        _ => option.parse().unwrap(),
    };
    let SeccompSpec::On(rules) = spec else { panic!("off") };
    build(&rules, &Protocol::DEFAULT, ErrorAction::default()).unwrap().filter
}

fn number(name: &str) -> Option<u32> {
    call(name).unwrap().number
}

/// Asserts the answer to a call by name; a call this architecture has not is passed over.
fn assert_answer(filter: &Filter, name: &str, arguments: &[u64], answer: Answer) {
    let Some(number) = number(name) else { return };
    // What is not named here is what a hostile caller leaves in the register.
    for rest in [0, u64::MAX] {
        let mut all = [rest; 6];
        all[..arguments.len()].copy_from_slice(arguments);
        let got = run(filter, &data(NATIVE, number, all)).0;
        assert_eq!(got, answer.value(), "{name} {arguments:x?}: {got:#x}");
    }
}

const ALLOW: Answer = Answer::Allow;
const REFUSE: Answer = Answer::Errno(EPERM);
const FAMILY: Answer = Answer::Errno(EAFNOSUPPORT);
/// The upper half of a register, which the kernel ignores for 32-bit arguments.
const HIGH: u64 = 0xdead_beef_0000_0000;

#[test]
fn every_call_gets_the_answer_of_the_table() {
    let filter = filter("");
    for call in CALLS {
        let answer = match call.standing {
            Standing::Allow => Answer::Allow,
            Standing::Forbid => Answer::Errno(EPERM),
            Standing::Absent => Answer::Errno(ENOSYS),
            Standing::Check => continue,
        };
        assert_answer(&filter, call.name, &[], answer);
    }
}

#[test]
fn numbers_nobody_knows_do_not_exist() {
    let filter = filter("");
    let known: Vec<_> = CALLS.iter().filter_map(|call| call.number).collect();
    let unknown = (0..2000).chain([0x3fff_ffff, u32::MAX]).filter(|number| !known.contains(number));
    for number in unknown {
        let got = run(&filter, &data(NATIVE, number, [0; 6])).0;
        assert_eq!(got, Answer::Errno(ENOSYS).value(), "{number}");
    }
}

#[test]
fn foreign_architectures_are_killed() {
    let filter = filter("");
    for number in (0..500).chain([u32::MAX]) {
        assert_eq!(run(&filter, &data(I386, number, [0; 6])).0, Answer::Kill.value(), "{number}");
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn x32_is_killed() {
    let filter = filter("");
    for number in (0..1000).map(|number| 0x4000_0000 | number).chain([0x7fff_ffff, 0x8000_0000, 0xffff_fffe])
    {
        assert_eq!(run(&filter, &data(NATIVE, number, [0; 6])).0, Answer::Kill.value(), "{number:#x}");
    }
}

#[test]
fn modes_with_set_id_bits_are_refused_and_others_pass() {
    let filter = filter("");
    for (name, before) in [
        ("chmod", 1),
        ("fchmod", 1),
        ("creat", 1),
        ("mkdir", 1),
        ("fchmodat", 2),
        ("fchmodat2", 2),
        ("mkdirat", 2),
    ] {
        let with = |mode: u64| [vec![7; before], vec![mode]].concat();
        for mode in [0, 0o755, 0o1777, HIGH | 0o644] {
            assert_answer(&filter, name, &with(mode), ALLOW);
        }
        for mode in [0o4755, 0o2755, 0o6000, HIGH | 0o4000] {
            assert_answer(&filter, name, &with(mode), REFUSE);
        }
    }
}

#[test]
fn opening_counts_the_mode_only_when_it_creates() {
    let filter = filter("");
    let create = libc::O_CREAT as u64;
    let temporary = libc::O_TMPFILE as u64;
    for (name, before) in [("open", 1), ("openat", 2)] {
        let with = |flags: u64, mode: u64| [vec![7; before], vec![flags, mode]].concat();
        assert_answer(&filter, name, &with(0, 0o4755), ALLOW);
        assert_answer(&filter, name, &with(libc::O_DIRECTORY as u64, u64::MAX), ALLOW);
        assert_answer(&filter, name, &with(create | 1, 0o644), ALLOW);
        assert_answer(&filter, name, &with(temporary, 0o600), ALLOW);
        for flags in [create, temporary, create | temporary, HIGH | create] {
            for mode in [0o4755, 0o2755, 0o6777, HIGH | 0o4000] {
                assert_answer(&filter, name, &with(flags, mode), REFUSE);
            }
        }
    }
}

#[test]
fn nodes_are_files_fifos_and_sockets() {
    let filter = filter("");
    for (name, before) in [("mknod", 1), ("mknodat", 2)] {
        let with = |mode: u32| [vec![7; before], vec![u64::from(mode)]].concat();
        for kind in [0, libc::S_IFREG, libc::S_IFIFO, libc::S_IFSOCK] {
            assert_answer(&filter, name, &with(kind | 0o600), ALLOW);
            assert_answer(&filter, name, &with(kind | 0o4600), REFUSE);
        }
        for kind in [libc::S_IFCHR, libc::S_IFBLK, libc::S_IFDIR, libc::S_IFLNK, libc::S_IFMT] {
            assert_answer(&filter, name, &with(kind | 0o600), REFUSE);
        }
    }
}

#[test]
fn children_stay_in_their_parents_namespaces() {
    let filter = filter("");
    let fork = libc::SIGCHLD as u64;
    let thread = (libc::CLONE_VM
        | libc::CLONE_FS
        | libc::CLONE_FILES
        | libc::CLONE_SIGHAND
        | libc::CLONE_THREAD
        | libc::CLONE_SYSVSEM
        | libc::CLONE_SETTLS
        | libc::CLONE_PARENT_SETTID
        | libc::CLONE_CHILD_CLEARTID) as u64;
    assert_answer(&filter, "clone", &[fork], ALLOW);
    assert_answer(&filter, "clone", &[thread], ALLOW);
    for flag in [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ] {
        assert_answer(&filter, "clone", &[flag as u64], REFUSE);
        assert_answer(&filter, "clone", &[HIGH | thread | flag as u64], REFUSE);
    }
}

#[test]
fn only_granted_socket_families_exist() {
    let filter = filter("");
    for name in ["socket", "socketpair"] {
        for family in 0..64u64 {
            let granted = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].contains(&(family as i32));
            for domain in [family, HIGH | family] {
                let answer = if granted { ALLOW } else { FAMILY };
                let stream = libc::SOCK_STREAM as u64;
                if family != libc::AF_NETLINK as u64 {
                    assert_answer(&filter, name, &[domain, stream, 0], answer);
                }
            }
        }
        let netlink = libc::AF_NETLINK as u64;
        assert_answer(&filter, name, &[netlink, 3, 0], ALLOW);
        for protocol in 1..32 {
            assert_answer(&filter, name, &[netlink, 3, protocol], FAMILY);
        }
        // AF_INET with SOCK_PACKET is AF_PACKET by another name.
        assert_answer(&filter, name, &[2, 10, 0x0300], FAMILY);
        assert_answer(&filter, name, &[2, HIGH | 10 | libc::SOCK_CLOEXEC as u64, 0x0300], FAMILY);
    }
}

#[test]
fn families_are_those_of_the_plan() {
    let filter = build(&Rules::default(), &[Protocol::Unix], ErrorAction::default()).unwrap().filter;
    assert_answer(&filter, "socket", &[1, 1, 0], ALLOW);
    assert_answer(&filter, "socket", &[2, 1, 0], FAMILY);
    assert_answer(&filter, "socket", &[16, 3, 0], FAMILY);
}

#[test]
fn nothing_is_typed_on_a_terminal() {
    let filter = filter("");
    for request in [0x5412u64, 0x541c] {
        assert_answer(&filter, "ioctl", &[0, request], REFUSE);
        assert_answer(&filter, "ioctl", &[0, HIGH | request], REFUSE);
    }
    assert_answer(&filter, "ioctl", &[0, 0x5401], ALLOW);
}

#[test]
fn the_core_limit_stays() {
    let filter = filter("");
    let core = u64::from(libc::RLIMIT_CORE);
    let files = u64::from(libc::RLIMIT_NOFILE);
    let kept = Answer::Errno(0);
    assert_answer(&filter, "setrlimit", &[core], kept);
    assert_answer(&filter, "setrlimit", &[files], ALLOW);
    assert_answer(&filter, "prlimit64", &[0, core, 0], ALLOW);
    assert_answer(&filter, "prlimit64", &[0, files, 0x7fff_0000_1000], ALLOW);
    for pointer in [0x1000, 0x7fff_0000_0000, 0x7fff_0000_1000] {
        assert_answer(&filter, "prlimit64", &[0, HIGH | core, pointer, 0], kept);
        assert_answer(&filter, "prlimit64", &[0, HIGH | core, pointer, pointer], Answer::Errno(EINVAL));
    }
}

#[test]
fn personality_and_prctl_do_only_the_usual() {
    let filter = filter("");
    assert_answer(&filter, "personality", &[0], ALLOW);
    assert_answer(&filter, "personality", &[0xffff_ffff], ALLOW);
    assert_answer(&filter, "personality", &[0x0040_0000], REFUSE);
    assert_answer(&filter, "prctl", &[libc::PR_SET_NAME as u64], ALLOW);
    assert_answer(&filter, "prctl", &[libc::PR_SET_MM as u64], REFUSE);
}

#[test]
fn the_users_list_refuses_and_permits() {
    let filter = filter("uname,@timer,!unshare,!clone3,socket");
    assert_answer(&filter, "uname", &[], REFUSE);
    assert_answer(&filter, "timerfd_create", &[], REFUSE);
    assert_answer(&filter, "socket", &[1, 1, 0], REFUSE);
    assert_answer(&filter, "unshare", &[libc::CLONE_NEWUSER as u64], ALLOW);
    assert_answer(&filter, "clone3", &[], ALLOW);
    assert_answer(&filter, "read", &[], ALLOW);
    assert_answer(&filter, "mount", &[], REFUSE);
}

fn with(rules: &Rules, action: ErrorAction) -> Filter {
    build(rules, &Protocol::DEFAULT, action).unwrap().filter
}

#[test]
fn a_list_of_its_own_keeps_or_drops_and_looks_at_arguments_all_the_same() {
    let keep = with(&Rules::keep("read,chmod,uname").unwrap(), ErrorAction::default());
    assert_answer(&keep, "uname", &[], ALLOW);
    assert_answer(&keep, "execve", &[], ALLOW);
    assert_answer(&keep, "chmod", &[0, 0o4755], REFUSE);
    assert_answer(&keep, "chmod", &[0, 0o755], ALLOW);
    assert_answer(&keep, "mmap", &[], REFUSE);
    let drop = with(&Rules::drop("uname").unwrap(), ErrorAction::default());
    assert_answer(&drop, "uname", &[], REFUSE);
    assert_answer(&drop, "ptrace", &[], ALLOW);
    assert_answer(&drop, "chmod", &[0, 0o4755], REFUSE);
    assert_answer(&drop, "io_uring_setup", &[], REFUSE);
    assert_answer(&drop, "openat2", &[], Answer::Errno(ENOSYS));
}

#[test]
fn a_refusal_can_kill_but_what_does_not_exist_does_not() {
    let kill = with(&Rules::default(), ErrorAction::Kill);
    assert_answer(&kill, "mount", &[], Answer::Kill);
    assert_answer(&kill, "chmod", &[0, 0o4755], Answer::Kill);
    assert_answer(&kill, "socket", &[libc::AF_PACKET as u64, 1, 0], FAMILY);
    assert_answer(&kill, "openat2", &[], Answer::Errno(ENOSYS));
}

#[test]
fn what_is_logged_is_done_but_nothing_that_protects_the_host() {
    let SeccompSpec::On(rules) = "chmod,uname".parse().unwrap() else { panic!("off") };
    let log = with(&rules, ErrorAction::Log);
    assert_answer(&log, "mount", &[], Answer::Log);
    assert_answer(&log, "uname", &[], Answer::Log);
    assert_answer(&log, "chmod", &[0, 0o755], Answer::Log);
    assert_answer(&log, "chmod", &[0, 0o4755], REFUSE);
    assert_answer(&log, "io_uring_setup", &[], REFUSE);
    assert_answer(&log, "openat2", &[], Answer::Errno(ENOSYS));
}

#[test]
fn an_item_says_what_becomes_of_its_call_whatever_becomes_of_others() {
    let SeccompSpec::On(rules) =
        "uname:ENOSYS,@timer:kill,alarm:EACCES,chmod:log,mount:log,@aio:log,swapon".parse().unwrap()
    else {
        panic!("off")
    };
    for (action, others) in [
        (ErrorAction::default(), REFUSE),
        (ErrorAction::Kill, Answer::Kill),
        ("EACCES".parse().unwrap(), Answer::Errno(libc::EACCES)),
    ] {
        let filter = with(&rules, action);
        assert_answer(&filter, "uname", &[], Answer::Errno(ENOSYS));
        assert_answer(&filter, "timerfd_create", &[], Answer::Kill);
        assert_answer(&filter, "alarm", &[], Answer::Errno(libc::EACCES));
        assert_answer(&filter, "swapon", &[], others);
        assert_answer(&filter, "reboot", &[], others);
        assert_answer(&filter, "fchmod", &[0, 0o4755], others);
        // What is logged is done, but nothing that protects the host.
        assert_answer(&filter, "mount", &[], Answer::Log);
        assert_answer(&filter, "io_submit", &[], Answer::Log);
        assert_answer(&filter, "chmod", &[0, 0o755], Answer::Log);
        assert_answer(&filter, "chmod", &[0, 0o4755], REFUSE);
        assert_answer(&filter, "io_uring_setup", &[], REFUSE);
        assert_answer(&filter, "socket", &[libc::AF_PACKET as u64, 1, 0], FAMILY);
        assert_answer(&filter, "openat2", &[], Answer::Errno(ENOSYS));
    }
}

#[test]
fn numbers_that_nobody_knows_are_decided_where_they_are_named_and_nowhere_else() {
    let text = "1000:EACCES,1001:kill,!$900";
    let SeccompSpec::On(rules) = text.parse().unwrap() else { panic!("off") };
    let filters = [
        (with(&rules, ErrorAction::default()), [(1000, 13), (1001, -1), (900, 0)]),
        (with(&Rules::drop("1000,1001:kill").unwrap(), ErrorAction::Log), [(1000, 1), (1001, -1), (900, 38)]),
        (
            with(&Rules::keep("read,$900").unwrap(), ErrorAction::default()),
            [(1000, 38), (1001, 38), (900, 0)],
        ),
    ];
    for (filter, expected) in filters {
        for (number, errno) in expected {
            let answer = match errno {
                -1 => Answer::Kill,
                0 => Answer::Allow,
                errno => Answer::Errno(errno),
            };
            assert_eq!(run(&filter, &data(NATIVE, number, [0; 6])).0, answer.value(), "{number}");
        }
        for number in [899, 901, 999, 1002, 0x3fff_ffff, u32::MAX] {
            assert_eq!(
                run(&filter, &data(NATIVE, number, [0; 6])).0,
                Answer::Errno(ENOSYS).value(),
                "{number}"
            );
        }
        #[cfg(target_arch = "x86_64")]
        assert_eq!(run(&filter, &data(NATIVE, 0x4000_0000 | 900, [0; 6])).0, Answer::Kill.value());
    }
}

/// What starts a command, in a profile.
const STARTS: &str = r#"{ "names": ["execve", "execveat", "write", "exit_group", "exit", "brk"], "action": "SCMP_ACT_ALLOW" }"#;

/// The filter of a profile that says this, on top of it these changes.
fn profiled(default: &str, rules: &str, changes: &str) -> Filter {
    let text = format!(r#"{{ "defaultAction": "{default}", "syscalls": [ {STARTS}, {rules} ] }}"#);
    let profile = Profile::read("test.json", text.as_bytes()).unwrap().resolve(Caps::default()).unwrap();
    let changes = match changes {
        "" => Rules::default(),
        _ => match changes.parse().unwrap() {
            SeccompSpec::On(rules) => rules,
            SeccompSpec::Off => panic!("off"),
        },
    };
    with(&changes.with_profile(profile).unwrap(), ErrorAction::default())
}

#[test]
fn a_profile_answers_with_every_action_and_compares_with_every_operator() {
    for (action, answer) in [
        ("SCMP_ACT_ALLOW", Answer::Allow),
        ("SCMP_ACT_ERRNO", Answer::Errno(libc::EPERM)),
        ("SCMP_ACT_KILL", Answer::KillThread),
        ("SCMP_ACT_KILL_THREAD", Answer::KillThread),
        ("SCMP_ACT_KILL_PROCESS", Answer::Kill),
        ("SCMP_ACT_TRAP", Answer::Trap),
        ("SCMP_ACT_LOG", Answer::Log),
    ] {
        let rule = format!(r#"{{ "names": ["mount", "of_no_kernel"], "action": "{action}" }}"#);
        assert_answer(&profiled("SCMP_ACT_TRAP", &rule, ""), "mount", &[], answer);
        assert_answer(
            &profiled(action, r#"{ "name": "read", "action": "SCMP_ACT_LOG" }"#, ""),
            "mount",
            &[],
            answer,
        );
    }
    let big = 0x1_0000_0005u64;
    let cases: [(&str, u64, u64, &[u64], &[u64]); 7] = [
        ("NE", big, 0, &[5, 0, big + 1, u64::MAX], &[big]),
        ("LT", big, 0, &[0, 5, big - 1, 0xffff_ffff], &[big, big + 1, 0x2_0000_0000]),
        ("LE", big, 0, &[0, 5, big], &[big + 1, 0x2_0000_0000, u64::MAX]),
        ("EQ", big, 0, &[big], &[5, 0x1_0000_0000, big + 1]),
        ("GE", big, 0, &[big, big + 1, 0x2_0000_0000], &[5, big - 1, 0xffff_ffff]),
        ("GT", big, 0, &[big + 1, 0x2_0000_0000, u64::MAX], &[5, big]),
        ("MASKED_EQ", 0xf_0000_000f, big, &[big, big | 0xf0], &[5, big | 2, 0x3_0000_0005]),
    ];
    for (operator, value, second, holds, does_not) in cases {
        let arg = format!(
            r#"{{ "index": 3, "value": {value}, "valueTwo": {second}, "op": "SCMP_CMP_{operator}" }}"#
        );
        let rule =
            format!(r#"{{ "names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 7, "args": [{arg}] }}"#);
        let filter = profiled("SCMP_ACT_ALLOW", &rule, "");
        for argument in holds {
            assert_answer(&filter, "read", &[0, 0, 0, *argument], Answer::Errno(7));
        }
        for argument in does_not {
            assert_answer(&filter, "read", &[0, 0, 0, *argument], ALLOW);
        }
    }
}

#[test]
fn conditions_on_several_arguments_must_all_hold_and_of_several_on_one_any() {
    let arg = |index, value| format!(r#"{{ "index": {index}, "value": {value}, "op": "SCMP_CMP_EQ" }}"#);
    let rule = |args: &[String]| {
        format!(r#"{{ "names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{}] }}"#, args.join(","))
    };
    let all = profiled("SCMP_ACT_ERRNO", &rule(&[arg(0, 1), arg(1, 2)]), "");
    assert_answer(&all, "read", &[1, 2], ALLOW);
    assert_answer(&all, "read", &[1, 3], REFUSE);
    let any = profiled("SCMP_ACT_ERRNO", &rule(&[arg(0, 1), arg(0, 2)]), "");
    assert_answer(&any, "read", &[1], ALLOW);
    assert_answer(&any, "read", &[2], ALLOW);
    assert_answer(&any, "read", &[3], REFUSE);
    // Of two that hold the stricter counts, in whichever order they are.
    let refuse = rule(&[arg(1, 2)]).replace("ALLOW", "KILL_PROCESS");
    for rules in [format!("{refuse}, {}", rule(&[arg(0, 1)])), format!("{}, {refuse}", rule(&[arg(0, 1)]))] {
        let both = profiled("SCMP_ACT_ERRNO", &rules, "");
        assert_answer(&both, "read", &[1, 2], Answer::Kill);
        assert_answer(&both, "read", &[1, 1], ALLOW);
        assert_answer(&both, "read", &[3, 3], REFUSE);
    }
}

#[test]
fn what_protects_the_host_stays_in_force_over_a_profile_that_allows_everything() {
    let filter = profiled("SCMP_ACT_ALLOW", r#"{ "names": ["openat2"], "action": "SCMP_ACT_ALLOW" }"#, "");
    for call in ["mount", "ptrace", "keyctl", "unshare"] {
        assert_answer(&filter, call, &[], ALLOW);
    }
    for call in ["openat2", "clone3"] {
        assert_answer(&filter, call, &[], Answer::Errno(ENOSYS));
    }
    assert_answer(&filter, "io_uring_setup", &[], REFUSE);
    assert_answer(&filter, "chmod", &[0, HIGH | 0o4755], REFUSE);
    assert_answer(&filter, "mknodat", &[0, 0, u64::from(libc::S_IFCHR)], REFUSE);
    assert_answer(&filter, "clone", &[libc::CLONE_NEWUSER as u64], REFUSE);
    assert_answer(&filter, "ioctl", &[0, libc::TIOCSTI as u64], REFUSE);
    assert_answer(&filter, "socket", &[libc::AF_PACKET as u64, 1, 0], FAMILY);
    assert_answer(&filter, "setrlimit", &[libc::RLIMIT_CORE.into()], Answer::Errno(0));
    assert_eq!(run(&filter, &data(NATIVE, 1000, [0; 6])).0, Answer::Errno(ENOSYS).value());
    assert_eq!(run(&filter, &data(I386, 20, [0; 6])).0, Answer::Kill.value());
}

#[test]
fn of_a_profiles_answer_and_the_hosts_protection_the_stricter_counts() {
    let arg = |index, value: u64| {
        format!(r#""args": [{{ "index": {index}, "value": {value}, "op": "SCMP_CMP_EQ" }}]"#)
    };
    let rules = [
        format!(r#"{{ "names": ["socket"], "action": "SCMP_ACT_KILL_PROCESS", {} }}"#, arg(0, 2)),
        format!(r#"{{ "names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, {} }}"#, arg(0, 17)),
        r#"{ "names": ["setrlimit", "chmod", "openat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5 }"#
            .to_owned(),
        r#"{ "names": ["io_uring_setup"], "action": "SCMP_ACT_TRAP" }"#.to_owned(),
    ];
    let filter = profiled("SCMP_ACT_LOG", &rules.join(","), "");
    assert_answer(&filter, "socket", &[2, 1, 0], Answer::Kill);
    assert_answer(&filter, "socket", &[1, 1, 0], Answer::Log);
    assert_answer(&filter, "socket", &[17, 3, 0], FAMILY);
    assert_answer(&filter, "socket", &[2, 10, 0], Answer::Kill);
    assert_answer(&filter, "chmod", &[0, 0o755], Answer::Errno(5));
    assert_answer(&filter, "chmod", &[0, 0o4755], REFUSE);
    assert_answer(&filter, "fchmod", &[0, 0o755], Answer::Log);
    assert_answer(&filter, "openat2", &[], Answer::Errno(ENOSYS));
    assert_answer(&filter, "io_uring_setup", &[], Answer::Trap);
    assert_answer(&filter, "setrlimit", &[libc::RLIMIT_CORE.into()], Answer::Errno(5));
}

#[test]
fn changes_are_made_on_top_of_a_profile_and_lift_what_they_name() {
    let rules = r#"{ "names": ["read", "uname"], "action": "SCMP_ACT_ALLOW" }"#;
    let filter = profiled("SCMP_ACT_ERRNO", rules, "uname:ENOSYS,!mmap,!openat2,700:kill");
    assert_answer(&filter, "read", &[], ALLOW);
    assert_answer(&filter, "uname", &[], Answer::Errno(ENOSYS));
    assert_answer(&filter, "mmap", &[], ALLOW);
    assert_answer(&filter, "munmap", &[], REFUSE);
    assert_answer(&filter, "openat2", &[], ALLOW);
    assert_eq!(run(&filter, &data(NATIVE, 700, [0; 6])).0, Answer::Kill.value());
}

#[test]
fn a_permitted_call_costs_the_same_however_long_the_list_is() {
    let all: Vec<_> =
        CALLS.iter().filter(|call| call.standing == Standing::Allow).map(|call| call.name).collect();
    let names = all.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(",");
    let (keep, rule) = (all.join(","), format!(r#"{{ "names": [{names}], "action": "SCMP_ACT_ALLOW" }}"#));
    let every_second: Vec<_> =
        all.iter().step_by(2).filter(|name| !STARTS.contains(*name)).copied().collect();
    let scattered = every_second.join(":ENOSYS,");
    for filter in [
        filter(""),
        filter(&scattered),
        with(&Rules::keep(&keep).unwrap(), ErrorAction::default()),
        profiled("SCMP_ACT_ERRNO", &rule, ""),
        profiled("SCMP_ACT_ALLOW", &rule.replace("ALLOW", "LOG"), ""),
    ] {
        for number in all.iter().filter_map(|name| number(name)) {
            let steps = run(&filter, &data(NATIVE, number, [0; 6])).1;
            assert!(steps <= 16, "{number}: {steps}");
        }
        bpf::check(filter.instructions()).unwrap();
    }
}

#[test]
fn a_filter_is_small_and_shallow() {
    let filter = filter("");
    assert!(filter.instructions().len() < 600, "{}", filter.instructions().len());
    let steps = |name: &str, arguments| number(name).map(|n| run(&filter, &data(NATIVE, n, arguments)).1);
    for name in ["openat", "ioctl", "socket", "clone"] {
        let steps = steps(name, [1, 1, 0, 0, 0, 0]);
        assert!(steps.is_none_or(|steps| steps < 40), "{name} {steps:?}");
    }
}

#[test]
fn a_filter_survives_being_stored() {
    let filter = filter("");
    let text = serde_json::to_string(&filter).unwrap();
    assert_eq!(serde_json::from_str::<Filter>(&text).unwrap(), filter);
    assert!(serde_json::from_str::<Filter>("\"00\"").is_err());
}
