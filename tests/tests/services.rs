//! Servers that need more than the defaults, or less than root, with real clients.

use jail_tests::{HOST, Host, JAIL, dial, fetch};

/// What sshd needs beside the default: its host keys, its directory, and the right to change its own root.
const SSHD: &str = "--name=ssh --net=br0 --ip=10.10.20.10 --publish=2222:22 --runtime-dir=sshd \
                    --caps.keep=chown,dac_override,fowner,kill,setgid,setuid,sys_chroot";

/// A client's `ssh` to the published port.
fn ssh(options: &str, script: &str) -> String {
    format!(
        "ssh -n -i /srv/key -p 2222 -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
         -o ConnectTimeout=5 {options} alice@{HOST} '{script}'"
    )
}

#[test]
fn a_client_logs_in_to_sshd() {
    let host = Host::new();
    host.dmz();
    host.sh("set -e; useradd --no-create-home --uid 1234 --shell /bin/bash alice
         mkdir -p -m 755 /srv/alice/.ssh; ssh-keygen -q -t ed25519 -N '' -f /srv/key
         rm -f /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
         cp /srv/key.pub /srv/alice/.ssh/authorized_keys; chown -R alice /srv/alice")
        .succeeds();
    let options = format!("{SSHD} --grant=/etc/ssh --grant=/etc/shadow --bind=/srv/alice,/home/alice:rw");
    host.jailed(&format!("-d {options}"), "/etc/init.d/ssh start; sleep inf").succeeds();
    host.until(&format!("nc -z {JAIL} 22")).succeeds();
    let told = host.client(&ssh("", "id -un; pwd; hostname; touch here; grep ^CapEff /proc/self/status"));
    assert_eq!(told.succeeds(), "alice\n/home/alice\nssh\nCapEff:\t0000000000000000");
    assert_eq!(host.sh("stat -c %U /srv/alice/here").succeeds(), "alice");
    host.client(&ssh("-tt", "tty")).prints("/dev/pts/").succeeds();
    host.client(&ssh("", "cat /etc/shadow")).fails();
    host.client(&ssh("", "exit 7")).exits(7);
    let stranger = host.client(&ssh("-o IdentitiesOnly=yes -i /dev/null", "true").replace("-i /srv/key", ""));
    stranger.exits(255).says("Permission denied");
    host.jail("stop ssh").succeeds();
}

#[test]
fn nginx_serves_port_80_without_ever_being_root() {
    let host = Host::new();
    host.dmz();
    host.write(
        "/srv/nginx.conf",
        "pid /run/nginx/pid; error_log stderr; events {}
         http { access_log /dev/stdout; client_body_temp_path /run/nginx/b; proxy_temp_path /run/nginx/p;
         fastcgi_temp_path /run/nginx/f; uwsgi_temp_path /run/nginx/u; scgi_temp_path /run/nginx/s;
         server { listen 80; root /var/www/html; } }",
    );
    host.write("/var/www/html/page.html", "text");
    let options =
        format!("-d --name=web --user=www-data --runtime-dir=nginx --net=br0 --ip={JAIL} --publish=80");
    host.jail(&format!("run {options} -- nginx -e stderr -c /srv/nginx.conf -g 'daemon off;'")).succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    assert_eq!(host.client(&fetch(&format!("{HOST}/page.html"))).succeeds(), "text");
    let users = host.join("web", "ps -e -o user= | sort -u");
    assert_eq!(users.succeeds(), "www-data");
    host.join("web", "nginx -e stderr -c /srv/nginx.conf -s reload").succeeds();
    assert_eq!(host.client(&fetch(&format!("{HOST}/page.html"))).succeeds(), "text");
}
