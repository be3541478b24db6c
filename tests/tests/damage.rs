//! Files of ours that somebody or something has damaged, and things that are not ours where ours are: each is told of,
//! and everything else goes on.

use jail_tests::{ARTICLE, Host, SERVERS, Snapshot};

/// Where jails are registered.
const JAILS: &str = "/run/jail/jails";

/// Starts the article's jail, damages a file of it, and kills its supervisor.
fn damaged(host: &Host, file: &str, content: &str) {
    host.jail(&format!("run -d {ARTICLE} {SERVERS}")).succeeds();
    host.sh(&format!(
        "set -e; pids=$(sed 's/.*\"pid\":\\([0-9]*\\).*\"supervisor\":\\([0-9]*\\).*/\\1 \\2/' {JAILS}/web/status.json)
         printf '{content}' >{JAILS}/web/{file}
         kill -KILL ${{pids#* }}
         while kill -0 ${{pids% *}} 2>/dev/null; do sleep 0.02; done"
    ))
    .succeeds();
}

#[test]
fn a_dead_jail_whose_files_cannot_be_read_is_undone_by_name() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    for file in ["plan.json", "status.json", "journal"] {
        for content in ["", "{\\n", "\\377\\n"] {
            damaged(&host, file, content);
            host.jail("list").prints("").succeeds();
            host.jail("gc").prints("jail web").succeeds();
            before.still_holds(&host);
        }
    }
}

#[test]
fn a_living_jail_whose_files_cannot_be_read_is_ended_as_it_says() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    for file in ["plan.json", "status.json"] {
        host.jail("run -d --name=web --net=br0 -p 80 -- sleep inf").succeeds();
        host.sh(&format!(": >{JAILS}/web/{file}")).succeeds();
        let told = host.jail("stop web");
        let told = told.exits(125).says_in_one_sentence(&[file, "end it with: kill "]);
        let supervisor = told.stderr.trim().rsplit(' ').next().unwrap().to_owned();
        host.sh(&format!("kill {supervisor}; tail --pid={supervisor} -f /dev/null; jail gc")).succeeds();
        before.still_holds(&host);
    }
}

#[test]
fn the_name_address_and_port_of_a_dead_jail_whose_files_cannot_be_read_are_free_for_the_next() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    for file in ["plan.json", "status.json", "journal"] {
        damaged(&host, file, "{\\n");
        host.jail(&format!("-q run {ARTICLE} -- true")).succeeds();
        host.jail("gc").succeeds();
        before.still_holds(&host);
    }
}

#[test]
fn what_is_not_ours_among_jails_and_leases_is_told_of_and_holds_nobody_up() {
    let host = Host::new();
    host.dmz();
    host.jail("-q run --net=br0 -- true").succeeds();
    host.jail("gc").succeeds(); // returns when the link is gone
    let before = Snapshot::of(&host);
    let live = host.start_jailed("--name=live --net=br0", "sleep inf");
    for (make, named) in [
        ("mkdir PATH; mkfifo PATH/lock", "jails/x/lock"),
        ("mkdir -p PATH/lock", "jails/x/lock"),
        ("mkdir PATH; ln -s /etc/passwd PATH/lock", "jails/x/lock"),
        ("mkdir PATH; touch PATH/other", "jails/x"),
        ("mkdir PATH", "address/10.10.20.10"),
        ("mkfifo PATH", "address/10.10.20.10"),
        ("mkdir PATH", "networked/0123456789ab"),
        ("mkfifo PATH", "networked/0123456789ab"),
        ("mkfifo PATH", "uid/1879048192"),
    ] {
        let path = format!("/run/jail/{}", named.trim_end_matches("/lock"));
        host.sh(&make.replace("PATH", &path)).succeeds();
        host.jail("list").prints("live").succeeds();
        host.jailed("--net=br0 -p 81", "true").succeeds();
        host.jail("gc").exits(125).says_in_one_sentence(&[named, "remove"]);
        host.sh(&format!("rm -r {path}")).succeeds();
        host.jail("gc").succeeds();
    }
    host.sh(&format!("touch {JAILS}/file; ln -s /etc {JAILS}/link; mkfifo {JAILS}/fifo")).succeeds();
    host.jail("list").prints("live").succeeds();
    host.jail("gc").succeeds();
    host.sh(&format!("rm {JAILS}/file {JAILS}/link {JAILS}/fifo")).succeeds();
    host.jail("stop live").succeeds();
    drop(live);
    before.still_holds(&host);
}

#[test]
fn one_thing_that_cannot_be_swept_keeps_nothing_else() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    damaged(&host, "journal", "{\\n");
    host.sh(
        "mkdir /run/jail/address/0.0.0.0; ln -s /nowhere /run/jail/uid/5; echo x >/run/jail/forwarding/net:x",
    )
    .succeeds();
    host.jail("gc").exits(125);
    host.sh("rmdir /run/jail/address/0.0.0.0; rm /run/jail/uid/5").succeeds();
    assert_eq!(host.sh("nft list tables").succeeds(), "");
    host.jail("gc").succeeds();
    before.still_holds(&host);
}
