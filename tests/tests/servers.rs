//! Debian's servers in jails, by the very commands of `docs/servers.md`: started, used by a real client, reloaded, stopped,
//! and shown to have shut down as they should.

use jail_tests::{HOST, Host, fetch};

/// The commands of the document's section on a server.
fn commands(server: &str) -> String {
    let document = include_str!("../../docs/servers.md");
    let section = document.split("\n## ").find_map(|section| section.strip_prefix(&format!("{server}\n")));
    let section = section.unwrap_or_else(|| panic!("docs/servers.md has no section {server}"));
    section.lines().filter_map(|line| line.strip_prefix("    ")).collect::<Vec<_>>().join("\n")
}

/// A host with the DMZ, on which a server runs as the document says.
fn started(host: &Host, server: &str) {
    host.jail("net create dmz --subnet=10.10.20.0/24").succeeds();
    host.sh(&format!("set -e\n{}", commands(server))).succeeds();
}

/// Stops the only jail, in time: a server that does not end when asked is killed after 10 s.
fn stop(host: &Host, name: &str) {
    host.sh(&format!("timeout 8 jail stop {name}")).succeeds();
    assert_eq!(host.jail("list").succeeds(), "");
}

/// An empty directory in the place of one below the host's `/var/lib`, which is the machine's own.
fn own_state(host: &Host, dir: &str, owner: &str) {
    host.sh(&format!("mount -t tmpfs -o mode=755 tmpfs {dir} && chown {owner}: {dir}")).succeeds();
}

#[test]
fn nginx() {
    let host = Host::new();
    host.sh("sed -i 's,error_log .*,error_log /var/log/nginx/error.log notice;,' /etc/nginx/nginx.conf")
        .succeeds();
    started(&host, "nginx");
    host.until(&fetch(HOST)).prints("Welcome to nginx");
    host.write("/var/www/html/page.html", "deployed later");
    assert_eq!(host.client(&fetch(&format!("{HOST}/page.html"))).succeeds(), "deployed later");
    host.join("web", "ps -e -o user=,args= | grep '^www-data *nginx: worker'").succeeds();
    host.write("/etc/nginx/conf.d/more.conf", "server { listen 80; server_name more; return 200 more; }");
    host.jail("join web -- nginx -s reload").succeeds();
    host.until(&format!("{} -H Host:more | grep -x more", fetch(HOST))).succeeds();
    stop(&host, "web");
    // Workers that a reload replaced have said "exit" before: the last to say it is the master, and because it was asked.
    host.sh("grep 'signal 15 (SIGTERM) received' /var/log/nginx/error.log").succeeds();
    host.sh("tail -n 1 /var/log/nginx/error.log | grep ' exit$'").succeeds();
    host.sh("grep 'GET /page.html' /var/log/nginx/access.log | grep '^192.0.2.2 '").succeeds();
}

#[test]
fn apache2() {
    let host = Host::new();
    host.write("/var/www/html/index.html", "by apache");
    started(&host, "apache2");
    host.until(&fetch(HOST)).succeeds();
    assert_eq!(host.client(&fetch(HOST)).succeeds(), "by apache");
    host.join("web", "ps -e -o user=,args= | grep '^www-data *.*/apache2'").succeeds();
    host.write("/etc/apache2/conf-enabled/more.conf", "Redirect /more http://elsewhere.example/");
    host.jail("join web -- apache2ctl graceful").succeeds();
    let more = format!("curl -s -o /dev/null -w '%{{redirect_url}}' http://{HOST}/more");
    host.until(&format!("{more} | grep -x http://elsewhere.example/")).succeeds();
    stop(&host, "web");
    host.sh("grep 'caught SIGTERM, shutting down' /var/log/apache2/error.log").succeeds();
    host.sh("grep 'GET / ' /var/log/apache2/access.log | grep '^192.0.2.2 '").succeeds();
}

#[test]
fn rsyslogd() {
    let host = Host::new();
    started(&host, "rsyslogd");
    let heard = |line: &str| format!("grep -q '{line}' /srv/log/syslog");
    // A datagram that comes before it listens is nobody's.
    host.until(&format!("logger -n {HOST} -d early; {}", heard("early"))).succeeds();
    host.client(&format!("logger -n {HOST} -d 'it was heard'")).succeeds();
    host.jail("join log -- logger 'said inside'").succeeds();
    host.until(&format!("{} && {}", heard("it was heard"), heard("said inside"))).succeeds();
    host.sh("grep -rs 'it was heard' /var/log").fails();
    stop(&host, "log");
    let told = host.sh("cat /srv/log/syslog");
    assert_eq!(told.succeeds().matches("it was heard").count(), 1, "{told}");
}

#[test]
fn rsyslogd_ends_as_it_should() {
    let host = Host::new();
    let jail = host.start("exec jail -q run --name=log -- rsyslogd -n");
    host.until("jail join log -- test -S /run/systemd/journal/syslog -o -S /dev/log").succeeds();
    stop(&host, "log");
    jail.wait().exits(0);
}

#[test]
fn unbound() {
    let host = Host::new();
    // Who is asked by it stands in the Internet; whom it is told to trust in that way, in its configuration.
    host.sh("ip netns exec client unbound -c /dev/stdin <<END
server:
  directory: \"/run\"
  chroot: \"\"
  pidfile: \"/run/upstream.pid\"
  username: \"\"
  interface: 198.51.100.1
  access-control: 0.0.0.0/0 allow
  local-zone: example.org static
  local-data: \"www.example.org. A 203.0.113.80\"
END")
        .succeeds();
    host.write(
        "/etc/unbound/unbound.conf.d/upstream.conf",
        "server:\n  domain-insecure: example.org\nforward-zone:\n  name: \".\"\n  forward-addr: 198.51.100.1\n",
    );
    started(&host, "unbound");
    let ask = |how: &str| format!("dig +short +time=2 +tries=1 {how} www.example.org @{HOST}");
    host.until(&format!("{} | grep -x 203.0.113.80", ask(""))).succeeds();
    assert_eq!(host.client(&ask("")).succeeds(), "203.0.113.80");
    assert_eq!(host.client(&ask("+tcp")).succeeds(), "203.0.113.80");
    let more = "server:\n  local-data: \"www.example.org. A 203.0.113.81\"\n";
    host.write("/etc/unbound/unbound.conf.d/more.conf", more);
    host.jail("join dns -- unbound-control reload").succeeds();
    host.until(&format!("{} | grep -x 203.0.113.81", ask(""))).succeeds();
    stop(&host, "dns");
}

#[test]
fn unbound_ends_as_it_should() {
    let host = Host::new();
    let helper = "/usr/libexec/unbound-helper root_trust_anchor_update";
    let jail = host.start(&format!("exec jail -q run --name=dns '{helper}; exec unbound -dd'"));
    host.until("jail join dns -- dig +short +time=1 +tries=1 localhost @127.0.0.1").succeeds();
    stop(&host, "dns");
    jail.wait().says("service stopped").exits(0);
}

#[test]
fn redis() {
    let host = Host::new();
    own_state(&host, "/var/lib/redis", "redis");
    started(&host, "redis");
    let redis = |command: &str| format!("redis-cli -h {HOST} --no-auth-warning -a secret {command}");
    host.until(&redis("ping | grep PONG")).succeeds();
    assert_eq!(host.client(&redis("set key value")).succeeds(), "OK");
    stop(&host, "redis");
    host.sh("grep 'bye bye' /var/log/redis/redis-server.log").succeeds();
    assert_eq!(host.sh("stat -c %U /var/lib/redis/dump.rdb").succeeds(), "redis");
    host.sh(commands("redis")
        .split_once("jail run")
        .map(|(_, run)| format!("jail run{run}"))
        .unwrap()
        .as_str())
        .succeeds();
    host.until(&redis("ping | grep PONG")).succeeds();
    assert_eq!(host.client(&redis("get key")).succeeds(), "value");
    stop(&host, "redis");
}

#[test]
fn postgresql() {
    let host = Host::new();
    let version = host.sh("ls /usr/lib/postgresql | sort -n | tail -n 1").succeeds().to_owned();
    own_state(&host, "/var/lib/postgresql", "postgres");
    host.sh(&format!("rm -rf /etc/postgresql/*; pg_createcluster {version} main")).succeeds();
    host.write(
        "/srv/alice.sql",
        "create role alice login password 'secret'; create database accounts owner alice;",
    );
    let commands = commands("postgresql").replace("15", &version);
    let (_, run) = commands.split_once("jail run").unwrap();
    host.jail("net create dmz --subnet=10.10.20.0/24").succeeds();
    host.sh(&format!("set -e\n{commands}")).succeeds();
    let sql =
        |statement: &str| format!("PGPASSWORD=secret psql -At -h {HOST} -U alice accounts -c '{statement}'");
    host.until("jail join db -- psql -f /srv/alice.sql").succeeds();
    host.client(&sql("create table kept as select 42 as row")).succeeds();
    assert_eq!(host.client(&sql("select ssl from pg_stat_ssl where pid = pg_backend_pid()")).succeeds(), "t");
    host.client(&sql("select 1").replace("secret", "guessed"))
        .exits(2)
        .says("password authentication failed");
    stop(&host, "db");
    host.sh(&format!("jail run{run}")).succeeds();
    host.until(&sql("select 1")).succeeds();
    assert_eq!(host.client(&sql("select row from kept")).succeeds(), "42");
    host.sh(&format!("echo 'work_mem = 5MB' >>/etc/postgresql/{version}/main/postgresql.conf")).succeeds();
    host.jail(&format!("join db -- pg_ctlcluster {version} main reload")).succeeds();
    host.until(&format!("{} | grep -x 5MB", sql("show work_mem"))).succeeds();
    stop(&host, "db");
    let log = host.sh("cat /var/log/postgresql/*");
    assert!(
        log.succeeds().contains("database system is shut down") && !log.stdout.contains("recovery"),
        "{log}"
    );
}

/// A host with keys of its own for its sshd, and a user alice who has one.
fn host_of_alice() -> Host {
    let host = Host::new();
    host.sh("set -e; useradd --no-create-home --uid 1234 --shell /bin/bash alice; mount -t tmpfs -o mode=755 tmpfs /home
         mkdir -p -m 755 /home/alice/.ssh; ssh-keygen -q -t ed25519 -N '' -f /srv/key
         rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
         cp /srv/key.pub /home/alice/.ssh/authorized_keys; chown -R alice /home/alice")
        .succeeds();
    host
}

#[test]
fn sshd() {
    let host = host_of_alice();
    started(&host, "sshd");
    let ssh = |options: &str, script: &str| {
        format!(
            "ssh -n -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
             -o ConnectTimeout=5 {options} alice@{HOST} '{script}'"
        )
    };
    let alice = |script: &str| ssh("-i /srv/key", script);
    host.until(&alice("true")).succeeds();
    let told = host.client(&alice("id -un; pwd; hostname; touch here; grep ^CapEff /proc/self/status"));
    assert_eq!(told.succeeds(), "alice\n/home/alice\nssh\nCapEff:\t0000000000000000");
    assert_eq!(host.sh("stat -c %U /home/alice/here").succeeds(), "alice");
    host.client(&ssh("-i /srv/key -tt", "tty")).prints("/dev/pts/").succeeds();
    host.client(&alice("cat /etc/shadow")).fails();
    host.client(&alice("exit 7")).exits(7);
    host.client(&ssh("-o IdentitiesOnly=yes -i /dev/null", "true")).exits(255).says("Permission denied");
    stop(&host, "ssh");
}

#[test]
fn sshd_begins_anew_and_ends_as_it_should() {
    let host = host_of_alice();
    host.jail("net create dmz --subnet=10.10.20.0/24").succeeds();
    let command = commands("sshd").replace("jail run -d", "exec jail -q run");
    let jail = host.start(&format!("{command} -D -e 2>/srv/told"));
    // It listens before it is ready for signals, and only then it answers.
    let began = |times: u8| {
        let listening = format!("test $(grep -c 'listening on 0.0.0.0' /srv/told) = {times}");
        format!("{listening} && ssh-keyscan -p 2222 {HOST} | grep ssh-ed25519")
    };
    host.until(&began(1)).succeeds();
    host.jail("join ssh -- pkill -HUP -o sshd").succeeds();
    host.until(&began(2)).succeeds();
    stop(&host, "ssh");
    jail.wait().exits(0);
    host.sh("grep 'Received signal 15; terminating' /srv/told").succeeds();
}
