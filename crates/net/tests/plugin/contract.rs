//! Good plugins: one in Rust by the macro, one in C by the header, each through every method.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use jail_net::model::Network;
use jail_net::plugin::sdk::{Backend, Detach, Kind, Reaped, Role, Support, Undo};
use jail_net::plugin::{self, abi};

use crate::make::{compile, copied, directory, example, jail, request};

/// Drives a backend that does nothing through a whole life.
async fn drive(path: &Path, name: &str) {
    let plugin = plugin::load(path).unwrap();
    let netns = File::open("/proc/self/ns/net").unwrap();
    assert_eq!((plugin.describe().name.as_str(), plugin.describe().role), (name, Role::Firewall));
    assert_eq!(plugin.path(), path);
    assert_eq!(plugin.probe().await, Ok(Support::Yes));
    let actions = plugin.plan(&request()).await.unwrap();
    assert_eq!(actions.words.len(), 1);
    assert_eq!(plugin.attach(&actions, netns.as_fd()).await.unwrap().interfaces, []);
    assert_eq!(plugin.check(&request()).await.unwrap().differences, [""; 0]);
    let how = Detach { wait: true, last: true };
    assert_eq!(plugin.detach(&jail(), Some(&actions.undo), how).await, Ok(()));
    assert_eq!(plugin.detach(&jail(), None::<&Undo>, how).await, Ok(()));
    assert_eq!(plugin.gc(&[jail()]).await, Ok(Reaped::default()));
    let network = Network::ours("dmz", "br0", "10.10.20.1/24".parse().unwrap());
    let refused = plugin.network_up(&network).await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.message),
        (Kind::Unsupported, format!("the backend {name} does not make networks"))
    );
    assert_eq!(plugin.network_down(&network).await.unwrap_err().kind, Kind::Unsupported);
    assert_eq!(plugin.network_of("br0").await.unwrap_err().kind, Kind::Unsupported);
}

fn c_example(directory: &tempfile::TempDir) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/null.c");
    compile(&source, &[], &directory.path().join("libjail_cnull.so"))
}

#[tokio::test]
async fn a_backend_in_rust_works_through_the_macro() {
    let directory = directory();
    drive(&copied(&directory, "libjail_null.so"), "null").await;
}

#[tokio::test]
async fn a_backend_in_c_works_through_the_header() {
    let directory = directory();
    drive(&c_example(&directory), "cnull").await;
}

#[tokio::test]
async fn a_survey_shows_the_bad_beside_the_good() {
    let directory = directory();
    let good = c_example(&directory);
    std::fs::write(directory.path().join("libjail_aaa.so"), "").unwrap();
    let found = plugin::survey(&[directory.path().to_owned()]).await.unwrap();
    assert_eq!(found.iter().map(|each| each.name.as_str()).collect::<Vec<_>>(), ["aaa", "cnull"]);
    assert!(
        found[0].result.as_ref().unwrap_err().message.ends_with("libjail_aaa.so is not a shared library")
    );
    assert_eq!(found[1].path, good);
    assert_eq!(found[1].result.as_ref().unwrap().1, Support::Yes);
    assert_eq!(plugin::open("cnull", &[directory.path().to_owned()]).unwrap().path(), good);
}

#[test]
fn the_header_and_the_crate_agree() {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../include/jail_plugin.h");
    let directory = directory();
    let source = directory.path().join("agree.c");
    let (magic, version, symbol) = (abi::MAGIC, abi::VERSION, abi::SYMBOL);
    let (aborts, limit, size) = (abi::ABORTS_ON_PANIC, abi::REPLY_LIMIT, size_of::<abi::Descriptor>());
    let text = format!(
        "#include \"{}\"\n\
         _Static_assert(JAIL_PLUGIN_MAGIC == {magic}u, \"\");\n\
         _Static_assert(JAIL_PLUGIN_VERSION == {version}, \"\");\n\
         _Static_assert(JAIL_PLUGIN_ABORTS == {aborts}, \"\");\n\
         _Static_assert(JAIL_PLUGIN_REPLY_LIMIT == {limit}, \"\");\n\
         _Static_assert(sizeof(struct jail_plugin) == {size}, \"\");\n\
         _Static_assert(sizeof(struct jail_reply) == {}, \"\");\n\
         const struct jail_plugin *{symbol}(void) {{ return 0; }}\n",
        header.display(),
        size_of::<abi::Reply>(),
    );
    std::fs::write(&source, text).unwrap();
    compile(&source, &[], &directory.path().join("agree.so"));
}

#[test]
fn a_plugin_exports_one_symbol() {
    let output =
        Command::new("nm").args(["-D", "--defined-only"]).arg(example("libjail_null.so")).output().unwrap();
    let symbols = String::from_utf8(output.stdout).unwrap();
    let names: Vec<_> = symbols.lines().filter_map(|line| line.split(' ').next_back()).collect();
    assert_eq!(names, [abi::SYMBOL]);
}
