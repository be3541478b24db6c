//! What `list`, `tree`, `inspect` and `plan` tell, as data.

use jail_tests::{ARTICLE, HOST, Host, JAIL, SERVERS, Snapshot, dial};
use serde_json::json;

#[test]
fn the_list_as_json_has_exactly_the_documented_fields() {
    let host = Host::new();
    assert_eq!(host.jail("--json list").json(), json!([]));
    host.web();
    let list = host.jail("--json list").json();
    let jail = &list[0];
    let keys = |value: &serde_json::Value| {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(
        keys(jail),
        [
            "command",
            "firewall",
            "id",
            "name",
            "namespaces",
            "network",
            "pid",
            "started",
            "state",
            "user",
            "userns"
        ]
    );
    assert_eq!(jail["name"], "web");
    assert_eq!(jail["user"], "root");
    assert_eq!(jail["state"], "running");
    assert_eq!(jail["firewall"], "nft");
    let id = jail["id"].as_str().unwrap();
    assert!(id.len() == 12 && id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()), "{id}");
    host.sh(&format!("date -d '{}'", jail["started"].as_str().unwrap())).succeeds();
    assert_eq!(keys(&jail["namespaces"]), ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]);
    let pid = jail["pid"].as_u64().unwrap();
    for (name, inode) in jail["namespaces"].as_object().unwrap() {
        let link = host.sh(&format!("readlink /proc/{pid}/ns/{name}"));
        assert_eq!(link.succeeds(), format!("{name}:[{inode}]"));
    }
    let network = &jail["network"][0];
    assert_eq!(
        keys(network),
        ["addresses", "backend", "bridge", "egress", "gateway", "interface", "mac", "mtu", "published"]
    );
    assert_eq!(network["interface"], "eth0");
    assert_eq!(network["backend"], "bridge");
    assert_eq!(network["bridge"], "br0");
    assert_eq!(network["mtu"], 1500);
    assert_eq!(network["addresses"], json!([format!("{JAIL}/24")]));
    assert_eq!(network["gateway"], "10.10.20.1");
    assert_eq!(network["published"], json!(["80"]));
    assert_eq!(network["egress"], "deny");
    let mac = host.join(
        "web",
        "cat /sys/class/net/eth0/address || ip -o link show eth0 | grep -o 'ether [^ ]*' | cut -c7-",
    );
    assert_eq!(network["mac"], mac.succeeds());
}

#[test]
fn a_jail_without_a_network_has_no_firewall() {
    let host = Host::new();
    host.jail("run -d --name=quiet -- sleep inf").succeeds();
    let list = host.jail("--json list").json();
    assert_eq!(list[0]["firewall"], json!(null));
    assert_eq!(list[0]["network"], json!([]));
}

#[test]
fn inspect_tells_the_whole_plan() {
    let host = Host::new();
    host.web();
    let inspected = host.jail("inspect web").json();
    assert!(inspected.to_string().contains(JAIL), "{inspected}");
    assert!(inspected.to_string().contains("rsyslogd; nginx; sleep inf"), "{inspected}");
    host.jail("inspect nobody").exits(125).says_in_one_sentence(&["nobody"]);
}

#[test]
fn the_tree_as_json_holds_every_process() {
    let host = Host::new();
    host.web();
    let tree = host.jail("--json tree web").json();
    for word in ["nginx: master process", "nginx: worker process", "rsyslogd", "www-data"] {
        assert!(tree.to_string().contains(word), "no {word}: {tree}");
    }
}

#[test]
fn a_tree_by_pid_is_the_jails() {
    let host = Host::new();
    host.jail("run -d --name=one -- sleep inf").succeeds();
    host.jail("run -d --name=two -- sleep inf").succeeds();
    let tree = host.sh("jail tree $(jail list | grep :two: | cut -d: -f1)");
    assert!(tree.succeeds().contains(":two:") && !tree.succeeds().contains(":one:"), "{tree}");
    let both = host.jail("tree");
    assert!(both.succeeds().contains(":two:") && both.succeeds().contains(":one:"), "{both}");
}

#[test]
fn a_plan_tells_what_a_run_would_do_and_touches_nothing() {
    let host = Host::new();
    host.dmz();
    let before = Snapshot::of(&host);
    let plan = host.jail(&format!("plan {ARTICLE} {SERVERS}"));
    for word in [JAIL, "br0", "80", "/usr", "system calls", "nginx"] {
        assert!(plan.succeeds().contains(word), "no {word}: {plan}");
    }
    assert!(host.jail(&format!("--json plan {ARTICLE} {SERVERS}")).json().is_object());
    before.still_holds(&host);
}

#[test]
fn a_plan_refuses_what_a_run_would_refuse() {
    let host = Host::new();
    host.jail("plan --grant=/srv/none -- true").exits(125).says("/srv/none");
    host.jail("plan --net=br9 -- true").exits(125).says("br9");
}

#[test]
fn what_a_plan_tells_of_a_command_is_one_line() {
    let host = Host::new();
    let plan =
        host.sh("jail plan --env=\"$(printf 'A=b\\nC')\" -- echo \"$(printf 'a\\n  nothing \\033[31m')\"");
    assert!(plan.succeeds().contains("  command     echo a\\n  nothing \\u{1b}[31m\n"), "{plan}");
    assert!(plan.stdout.contains(" A=b\\nC\n"), "{plan}");
}

#[test]
fn a_socket_for_ipv6_only_or_of_one_interface_answers_no_published_port() {
    let host = Host::new();
    host.dmz();
    host.write(
        "/srv/serve.pl",
        r#"use Socket qw(:all);
           socket(my $six, AF_INET6, SOCK_STREAM, 0); setsockopt($six, IPPROTO_IPV6, IPV6_V6ONLY, 1);
           bind($six, pack_sockaddr_in6(80, IN6ADDR_ANY)) and listen($six, 1) or die;
           socket(my $lo, AF_INET, SOCK_STREAM, 0); setsockopt($lo, SOL_SOCKET, 25, "lo\0"); # SO_BINDTODEVICE
           bind($lo, sockaddr_in(82, INADDR_ANY)) and listen($lo, 1) or die;
           sleep;"#,
    );
    host.jail("run -d --name=a --net=br0 -p 80 -p 82 -- perl /srv/serve.pl").succeeds();
    host.until("jail inspect a | grep -q '0.0.0.0:82'").succeeds();
    host.client(&dial(HOST, 80)).fails();
    host.client(&dial(HOST, 82)).fails();
    let inspected = host.jail("inspect a").json();
    assert_eq!(inspected["unanswered"], json!(["80", "82"]));
    for one in inspected["listening"].as_array().unwrap() {
        assert_eq!(one["reached"], json!(["the jail itself"]));
    }
}

#[test]
fn inspect_tells_which_ports_are_open_to_whom_and_it_is_the_same_for_every_user() {
    let host = Host::new();
    host.dmz();
    let serve = "'nc -lk 8000 & nc -lk 127.0.0.1 9000 & nc -luk 5353 & exec sleep inf'";
    let seen = ["", "--user=www-data"].map(|user| {
        let options = format!("--name=a --net=br0 --ip={JAIL} -p 80:8000 -p 127.0.0.1:443:443 {user}");
        host.jail(&format!("run -d {options} {serve}")).succeeds();
        host.until("jail inspect a | grep -q 5353 && jail inspect a | grep -q 9000").succeeds();
        let mut inspected = host.jail("inspect a").json();
        host.jail("stop a").succeeds();
        for one in inspected["listening"].as_array_mut().unwrap() {
            assert!(one.as_object_mut().unwrap().remove("pid").unwrap().is_u64());
        }
        json!([inspected["listening"], inspected["unanswered"]])
    });
    let near = |port: u16| format!("the host and what is on br0, at {JAIL}:{port}");
    let expected = json!([
        [
            {"protocol": "udp", "address": "0.0.0.0:5353", "command": "nc -luk 5353", "reached": [near(5353)]},
            {"protocol": "tcp", "address": "0.0.0.0:8000", "command": "nc -lk 8000",
             "reached": [near(8000), "whoever reaches the host, at its port 80"]},
            {"protocol": "tcp", "address": "127.0.0.1:9000", "command": "nc -lk 127.0.0.1 9000",
             "reached": ["the jail itself"]},
        ],
        ["127.0.0.1:443"],
    ]);
    assert_eq!(seen, [expected.clone(), expected]);
}
