//! Landlock by itself: what the other walls would stop as well is stopped where they are not there.

#![cfg(test)]
use std::ffi::CString;
use std::net::TcpListener;
use std::os::fd::AsFd;

use jail_filter::{FilterPlan, FilterSpec, LandlockSpec, Protocol, Writable, plan};
use jail_sys::call::process::{self, Ended};
use jail_sys::launch;
use jail_sys::op::{Op, Program, Step};

/// A plan behind Landlock that may write to this directory.
fn behind(directory: &str, protocols: &[Protocol]) -> FilterPlan {
    let spec = FilterSpec { protocols: protocols.to_vec(), ..FilterSpec::default() };
    let writable = vec![Writable { path: directory.to_owned(), file: false }];
    plan(&spec).unwrap().with_landlock(&LandlockSpec { writable, ..LandlockSpec::default() })
}

/// Runs a script of bash's with what of this plan is Landlock's, and answers its exit status.
fn run(plan: Option<&FilterPlan>, script: &str) -> Ended {
    let confine = plan.map(|plan| plan.steps().unwrap()).unwrap_or_default();
    let ours = |step: &Step| matches!(step.op, Op::NoNewPrivs | Op::Landlock(_));
    let mut steps: Vec<_> = confine.into_iter().filter(ours).collect();
    let argv = ["bash", "-c", script].map(|word| CString::new(word).unwrap()).to_vec();
    let bash = Op::Exec { paths: vec![c"/bin/bash".into()], argv, envp: Vec::new() };
    steps.push(Step::new("test", "bash", bash));
    let started = launch::launch(Program { steps }, 0).unwrap().outcome().unwrap();
    process::wait(started.pidfd.as_fd()).unwrap()
}

#[test]
fn files_are_written_where_that_was_said_and_nowhere_else() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plan = behind(own.path().to_str().unwrap(), &Protocol::DEFAULT);
    for (directory, status) in [(&own, 0), (&other, 1)] {
        let path = directory.path().join("file");
        let write = format!("(echo x >{0} && mv {0} {0}2 && rm {0}2) 2>&-", path.display());
        assert_eq!(run(None, &write), Ended(0));
        assert_eq!(run(Some(&plan), &write), Ended(status), "{write}");
    }
    assert_eq!(run(Some(&plan), "head -c1 /etc/passwd >/dev/stdout"), Ended(0));
}

#[test]
fn without_a_family_of_the_internets_no_socket_of_theirs_is_connected() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connect = format!("(exec 3<>/dev/tcp/127.0.0.1/{}) 2>&-", listener.local_addr().unwrap().port());
    assert_eq!(run(None, &connect), Ended(0));
    assert_eq!(run(Some(&behind("/tmp", &Protocol::DEFAULT)), &connect), Ended(0));
    assert_eq!(run(Some(&behind("/tmp", &[Protocol::Unix])), &connect), Ended(1));
}
