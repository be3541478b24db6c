//! The probe: a C program that asks the kernel, and says what it answered.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Built once. Whoever has Rust has a C compiler: Rust links with it.
pub(crate) static PROBE: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (probe, ours) = (directory.join("probe"), directory.join(format!("probe-{}", std::process::id())));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe.c");
    let status = Command::new("cc").arg("-O1").arg("-o").arg(&ours).arg(source).status().unwrap();
    assert!(status.success());
    // Another run of this test may be using it.
    std::fs::rename(ours, &probe).unwrap();
    probe
});
