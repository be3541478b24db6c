//! What a web server needs beside its page: its logs, a reload, a way to say where they go, and no root.

use jail_tests::{HOST, Host, JAIL, dial, fetch};

/// nginx in the foreground with its access log on standard output, in the DMZ.
const LOGGING: &str = "nginx -g 'daemon off;'";

/// A host whose nginx logs to standard output.
fn host_that_logs_to_stdout() -> Host {
    let host = Host::new();
    host.sh("sed -i 's,access_log .*,access_log /dev/stdout;,; s,error_log .*,error_log /dev/stderr;,' /etc/nginx/nginx.conf")
        .succeeds();
    host.dmz();
    host
}

#[test]
fn the_access_log_goes_to_a_pipe() {
    let host = host_that_logs_to_stdout();
    let mut jail = host.start(&format!("exec jail -q run --name=web --net=br0 --ip={JAIL} -- {LOGGING}"));
    host.until(&fetch(&format!("{JAIL}/?seen"))).succeeds();
    assert!(jail.line().contains("GET /?seen"));
    host.jail("stop web").succeeds();
}

#[test]
fn the_access_log_goes_to_a_file() {
    let host = host_that_logs_to_stdout();
    let _jail =
        host.start(&format!("exec jail -q run --name=web --net=br0 --ip={JAIL} -- {LOGGING} >/srv/log 2>&1"));
    host.until(&fetch(&format!("{JAIL}/?seen"))).succeeds();
    host.until("grep 'GET /?seen' /srv/log").succeeds();
    host.jail("stop web").succeeds();
}

#[test]
fn the_access_log_of_a_detached_jail_does_not_stop_it() {
    let host = host_that_logs_to_stdout();
    host.jail(&format!("run -d --name=web --net=br0 --ip={JAIL} -- {LOGGING}")).succeeds();
    host.until(&dial(JAIL, 80)).succeeds();
    host.sh(&fetch(JAIL)).succeeds();
}

#[test]
fn a_reload_through_join_puts_a_new_configuration_into_force() {
    let host = Host::new();
    host.web();
    host.sh(&dial(JAIL, 8088)).fails();
    host.write("/etc/nginx/conf.d/more.conf", "server { listen 8088; return 200 'more\\n'; }");
    host.jail("join web -- nginx -s reload").succeeds();
    host.until(&dial(JAIL, 8088)).succeeds();
    host.sh(&fetch(JAIL)).succeeds();
}

#[test]
fn nginx_keeps_its_own_logs_in_the_jail_and_never_the_hosts() {
    let host = Host::new();
    host.write("/var/log/nginx/access.log", "of the host\n");
    host.web();
    host.sh(&fetch(&format!("{JAIL}/?seen"))).succeeds();
    host.join("web", "grep 'GET /?seen' /var/log/nginx/access.log").succeeds();
    host.join("web", "grep -r 'of the host' /var/log").fails();
    assert_eq!(host.sh("cat /var/log/nginx/access.log").succeeds(), "of the host");
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
