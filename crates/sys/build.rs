//! Builds the helper: a static program of `core` alone, for the same target, which the library embeds.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=helper");
    println!("cargo:rerun-if-changed=src/raw.rs");
    let output = PathBuf::from(env::var("OUT_DIR")?).join("helper");
    let mut rustc = Command::new(env::var("RUSTC")?);
    rustc.args(["--edition", "2024", "--crate-name", "jail_helper", "--crate-type", "bin"]);
    rustc.args(["--target", &env::var("TARGET")?]);
    for option in [
        "panic=abort",
        "opt-level=s",
        "lto=fat",
        "codegen-units=1",
        "overflow-checks=off",
        "strip=symbols",
        "relocation-model=static",
        "target-feature=+crt-static",
        // No libc, no start files, no unwind tables, and as few pages as it takes.
        "link-args=-nostartfiles -nostdlib -static -no-pie -Wl,--gc-sections,--build-id=none,-z,norelro,--no-eh-frame-hdr",
    ] {
        rustc.args(["-C", option]);
    }
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.args(["-C", &format!("linker={linker}")]);
    }
    rustc.arg("-o").arg(&output).arg("helper/main.rs");
    if !rustc.status()?.success() {
        return Err("the helper does not build".into());
    }
    println!("cargo:rustc-env=JAIL_HELPER={}", output.display());
    Ok(())
}
