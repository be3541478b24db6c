//! Plugins that panic, hang or end the process.

use std::fs::File;
use std::io::pipe;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use jail_net::plugin::sdk::{Actions, Backend, Detach, Kind, Undo, serde_json::Value};
use jail_net::plugin::{self, Plugin};
use tokio::time::timeout;

use crate::make::{bad, copied, directory, example, jail, request};

fn actions() -> Actions {
    Actions { words: Vec::new(), data: Value::Null, undo: Undo(Value::Null), probes: false }
}

/// Probes a plugin from a process of its own.
fn probe_elsewhere(plugin: &std::path::Path) -> Output {
    Command::new(example("probe")).arg(plugin).output().unwrap()
}

#[tokio::test]
async fn a_panic_in_any_method_is_a_failure_and_the_next_call_works() {
    let directory = directory();
    let plugin = plugin::load(&copied(&directory, "libjail_panics.so")).unwrap();
    let netns = File::open("/proc/self/ns/net").unwrap();
    let place = "crates/net/examples/panics.rs:";
    for _twice in 0..2 {
        let failure = plugin.probe().await.unwrap_err();
        assert_eq!((failure.kind, &*failure.operation), (Kind::Failed, "probe"));
        assert!(
            failure.message.starts_with(&format!("the backend panicked in probe at {place}")),
            "{failure}"
        );
        assert!(failure.message.ends_with(": no luck today"), "{failure}");

        let failure = plugin.plan(&request()).await.unwrap_err();
        assert!(failure.message.ends_with(": no plan for web"), "{failure}");
        let failure = plugin.attach(&actions(), netns.as_fd()).await.unwrap_err();
        assert!(failure.message.ends_with(": no message"), "{failure}");
        let failure = plugin.check(&request()).await.unwrap_err();
        assert!(
            failure.message.ends_with(": index out of bounds: the len is 0 but the index is 1"),
            "{failure}"
        );
        let failure = plugin.detach(&jail(), None, Detach::default()).await.unwrap_err();
        assert_eq!(failure.message, "a thread of the backend panicked");
        let failure = plugin.gc(&[jail()]).await.unwrap_err();
        assert_eq!((failure.kind, &*failure.object), (Kind::Denied, "jails"));
        assert_eq!(failure.to_string(), "gc was told of 1 jails, and does nothing about it; expect nothing");
        let failure = plugin.network_of("br0").await.unwrap_err();
        assert_eq!(failure.message, "the backend panics does not make networks");
    }
}

#[test]
fn a_panic_is_not_written_to_the_hosts_terminal() {
    let directory = directory();
    let output = probe_elsewhere(&copied(&directory, "libjail_panics.so"));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.ends_with("no luck today\n"), "{stderr}");
}

#[test]
fn a_plugin_that_does_not_return_is_given_up_and_the_host_ends() {
    let directory = directory();
    let path = bad(&directory, &["PROBE=loop()"]);
    let plugin = plugin::load_within(&path, Duration::from_millis(50)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    runtime.block_on(async {
        let failure = plugin.probe().await.unwrap_err();
        let sentence = format!(
            "the plugin {}, asked for probe, gave no answer within 50 ms; see what holds it up: this program asks it no more",
            path.display()
        );
        assert_eq!(failure.to_string(), sentence);
        assert_eq!(plugin.gc(&[]).await.unwrap_err(), failure, "it is not called again");
        assert_eq!(plugin::load(&path).unwrap_err(), failure, "nor loaded anew");
    });
    drop(runtime);
    assert!(began.elapsed() < Duration::from_secs(5));
}

/// Answers everything at once but `attach`, which waits for the end of file of what it is given as a namespace; `gc`
/// complains when that is going on.
fn slow() -> Plugin {
    let statement = r#"{
        static volatile int attaching;
        char byte;
        if (!strcmp(method, "attach")) { attaching = 1; (void)!read(netns, &byte, 1); attaching = 0; }
        if (!strcmp(method, "gc") && attaching) say("{\"error\":{\"kind\":\"failed\",\"message\":\"too early\"}}");
        else say("{\"ok\":{\"interfaces\":[],\"removed\":[]}}");
    }"#;
    let directory = directory();
    plugin::load(&bad(&directory, &[&format!("PROBE={}", statement.replace('\n', " "))])).unwrap()
}

#[tokio::test]
async fn a_call_whose_future_is_dropped_keeps_its_namespace_and_is_waited_for() {
    let plugin = slow();
    let (netns, end) = pipe().unwrap();
    let dropped = timeout(Duration::ZERO, plugin.attach(&actions(), netns.as_fd())).await;
    assert!(dropped.is_err(), "attach waits for the end of file");
    drop(netns); // the call has its own
    assert!(timeout(Duration::ZERO, plugin.gc(&[])).await.is_err(), "gc waits for attach");
    let (one, two, ()) = tokio::join!(plugin.gc(&[]), plugin.gc(&[]), async { drop(end) });
    assert_eq!(
        (one.map(|reaped| reaped.removed), two.map(|reaped| reaped.removed)),
        (Ok(vec![]), Ok(vec![]))
    );
}

#[tokio::test]
async fn a_call_does_not_wait_for_another_jails() {
    let plugin = slow();
    let actions = actions();
    let (netns, end) = pipe().unwrap();
    let mut first = plugin.attach(&actions, netns.as_fd());
    assert!(timeout(Duration::ZERO, &mut first).await.is_err(), "the first waits for the end of file");
    let (other, other_end) = pipe().unwrap();
    drop(other_end);
    assert!(plugin.attach(&actions, other.as_fd()).await.is_ok());
    drop(end);
    assert!(first.await.is_ok());
}

#[test]
fn only_a_plugin_that_ends_the_process_ends_it() {
    let directory = directory();
    let fine = probe_elsewhere(&bad(&directory, &[]));
    assert!(fine.status.success(), "{fine:?}");
    let output = probe_elsewhere(&bad(&directory, &["PROBE=abort()"]));
    assert_eq!(output.status.signal(), Some(6), "what the journal and the lifeline are for");
}
