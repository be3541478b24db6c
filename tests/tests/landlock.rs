//! Landlock, the second wall behind the mounts: what it keeps from a jail, what it must not, and what is told of it.

use jail_tests::{Host, dial};

/// Makes a FIFO of the host's that anyone may use and somebody reads: what is written to it comes to /run/got.
#[track_caller]
fn read_fifo(host: &Host) {
    host.sh("mkfifo -m 666 /srv/fifo; (exec >/run/got 2>&1; exec cat /srv/fifo) & disown").succeeds();
}

#[test]
fn a_fifo_of_the_hosts_in_what_is_shown_cannot_be_written_to_and_is_named_only_for_reading() {
    let host = Host::new();
    let write = "timeout 5 sh -c 'echo written >/srv/fifo'";
    read_fifo(&host);
    host.sh(&format!("{write}; grep written /run/got")).succeeds();
    host.sh("rm /srv/fifo").succeeds();
    read_fifo(&host);
    host.jailed("", write).fails().says("Permission denied");
    host.jailed("--grant=/srv:rw", "test -p /srv/fifo && echo written >/srv/fifo").succeeds();
    host.sh("mkdir /srv/d; mkfifo -m 622 /srv/d/written; mkfifo -m 644 /srv/d/read").succeeds();
    let named = host.jail("plan -- true");
    assert!(!named.succeeds().contains("/srv/d/written"), "{named}");
    named.prints("/srv/d/read  FIFO");
}

#[test]
fn servers_and_their_owner_do_all_they_did_before() {
    let host = Host::new();
    host.sh("mkdir -p /srv/data/sub; mkfifo /srv/data/fifo; echo x >/srv/file").succeeds();
    let options = "--grant=/srv/data:rw --bind=/srv/file,/srv/file:rw --tmpfs=/mnt/t";
    for script in [
        "cd /srv/data && echo x >a && mv a sub/b && ln sub/b c && : >c && rm c sub/b && mkdir d && rmdir d",
        "ln -s x /tmp/l && mkfifo /tmp/f && mkdir /tmp/d && mv /tmp/l /tmp/d/ && rm -r /tmp/d /tmp/f",
        "echo y >>/srv/file && echo z >/srv/file",
        "for d in /run /var/log /var/lib /var/tmp /dev/shm /root /home /mnt/t; do echo x >$d/x && rm $d/x || exit 1; done",
        "echo x >/dev/null && head -c 1 /dev/urandom >/dev/zero && echo x >/dev/stdout && echo x >/dev/stderr",
        "echo 500 >/proc/self/oom_score_adj && cat /proc/self/environ /proc/$$/cmdline >/dev/null",
        "cp /bin/true /tmp/t && /tmp/t && exec 7<>/tmp/gone && rm /tmp/gone && echo x >/proc/self/fd/7",
    ] {
        host.jailed(options, script).succeeds();
    }
    host.sh("jail --quiet run -d -- sh -c 'echo x >/dev/stdout && echo x >/dev/stderr && sleep inf'")
        .succeeds();
    host.sh("exec 7</etc/shadow; jail --quiet run --keep-fd=7 -- sh -c 'cat <&7 | grep root'").succeeds();
    host.sh(": >/run/kept; exec 7<>/run/kept; jail --quiet run --userns=identity --keep-fd=7 -- sh -c 'echo x >/dev/fd/7'")
        .succeeds();
}

#[test]
fn who_joins_is_behind_the_same_wall_and_still_reaches_the_servers() {
    let host = Host::new();
    host.web();
    host.sh("mkfifo -m 666 /srv/fifo; (exec >/dev/null 2>&1; exec sleep inf) <>/srv/fifo & disown")
        .succeeds();
    host.sh("echo written >/srv/fifo").succeeds();
    host.join("web", "echo written >/srv/fifo").fails().says("Permission denied");
    host.join("web", "nginx -s reload && ps -e -o args= | grep -q 'nginx: worker' && kill -0 2").succeeds();
    host.join("web", "/etc/init.d/nginx reload && /etc/init.d/nginx status").succeeds();
    host.sh(&dial(jail_tests::JAIL, 80)).succeeds();
}

#[test]
fn what_of_it_is_enforced_is_told_and_a_kernel_without_it_is_no_error() {
    let host = Host::new();
    host.jail("plan -- true").prints("landlock: ABI ").succeeds();
    let _jail = host.start_jailed("--name=web", "sleep inf");
    let told = host.jail("inspect web").json()["plan"]["filter"]["landlock"].clone();
    assert!(told["abi"].as_u64() >= Some(2) && told["enforced"] != "not", "{told}");
    for error in ["ENOSYS", "EOPNOTSUPP"] {
        let without = format!(
            "strace -f -qq -o /run/trace -e inject=landlock_create_ruleset:error={error} jail --quiet"
        );
        host.sh(&format!("{without} plan -- true")).prints("landlock: not enforced").succeeds();
        host.sh(&format!("{without} run -- true")).succeeds();
    }
    // It was there when the jail was planned, so the jail is not to be without it.
    let half =
        "strace -f -qq -o /run/trace -e inject=landlock_restrict_self:error=EPERM jail --quiet run -- true";
    host.sh(half).says("landlock").exits(125);
}
