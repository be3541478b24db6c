//! What a person or a program reads: data on stdout, one sentence or one JSON object per failure on stderr.

use std::borrow::Cow;
use std::io::{self, Write};
use std::process::ExitCode;

use jail_core::{Failure, Kind, Running, Told, Wanted, printable};
use serde::Serialize;

use crate::usage::Wrong;

/// What was typed cannot be understood, whatever the host is like.
const USAGE: u8 = 2;
/// Set-up failed: nothing was run, nothing is left.
pub(crate) const SETUP: u8 = 125;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Prints lines of data.
pub(crate) fn lines<T: std::fmt::Display>(lines: impl IntoIterator<Item = T>) -> Result<ExitCode, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = lines.into_iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush());
    done(written)
}

/// Prints a value as indented JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<ExitCode, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
    done(written.and_then(|()| writeln!(out)).and_then(|()| out.flush()))
}

/// A reader that has read enough (`| head`) is no failure.
fn done(written: io::Result<()>) -> Result<ExitCode, Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::call("command", "write", "standard output", &error))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Says something to the person, not to a program that reads the output.
pub(crate) fn say(line: &str) {
    // Who cannot be told cannot be told that either.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Tells a step that was done.
pub(crate) fn step(Told { stage, operation, object }: Told<'_>) {
    say(&format!("{stage:<10}  {operation}  {}", printable(object)));
}

/// Tells a failure, and answers its exit status.
pub(crate) fn failure(failure: &Failure, as_json: bool) -> ExitCode {
    if as_json {
        let Failure { stage, operation, object, errno, message, hint, .. } = failure;
        let [object, message, hint] = [object, message, hint].map(|text| readable(text));
        let error = serde_json::json!({
            "stage": stage, "operation": operation, "object": object, "errno": errno, "message": message, "hint": hint
        });
        say(&serde_json::json!({ "error": error }).to_string());
    } else {
        say_why(failure);
    }
    ExitCode::from(status(failure))
}

/// Says it to a person, in a line.
pub(crate) fn say_why(failure: &Failure) {
    let mut told = failure.clone();
    for text in [&mut told.message, &mut told.hint] {
        *text = readable(&printable(text)).into_owned();
    }
    say(&format!("jail: {told}"));
}

/// What a person can read of a text that may hold a value of any length: its start, which has the option's name, and its
/// end, which says what is wrong with it.
fn readable(text: &str) -> Cow<'_, str> {
    const HALF: usize = 300;
    if text.len() <= 2 * HALF {
        return text.into();
    }
    let (start, _) = text.split_at(text.floor_char_boundary(HALF));
    let (_, end) = text.split_at(text.ceil_char_boundary(text.len() - HALF));
    format!("{start}...{end}").into()
}

fn status(failure: &Failure) -> u8 {
    match (failure.stage.as_ref(), failure.operation.as_ref(), failure.kind) {
        ("command", "execve", Kind::NotFound) => NOT_FOUND,
        ("command", "execve", Kind::Denied) => NOT_EXECUTABLE,
        (_, _, Kind::Usage) => USAGE,
        _ => SETUP,
    }
}

/// Tells of words that are no command line: status 2. Help and version are what was asked for: status 0.
pub(crate) fn usage(wrong: &Wrong) -> ExitCode {
    match wrong {
        Wrong::Shown(help) => {
            let _ = help.print();
            ExitCode::from(if help.use_stderr() { USAGE } else { 0 })
        }
        Wrong::Refused(refused) => {
            // They could not be read, so what --json would have said is not known but by looking.
            let as_json = std::env::args_os().take_while(|word| word != "--").any(|word| word == "--json");
            failure(refused, as_json)
        }
    }
}

/// What the jail was given, as on Firejail's start.
pub(crate) fn table(running: &Running) {
    let Some(request) = &running.status().request else { return };
    let mut lines = vec![format!("{:<12} {:<18} {:<16} {:<16} Status", "Interface", "MAC", "IP", "Mask")];
    lines.push(format!("{:<12} {:<18} {:<16} {:<16} UP", "lo", "", "127.0.0.1", "255.0.0.0"));
    for attachment in &request.attachments {
        let (name, mac) = (&attachment.interface, &attachment.mac);
        if attachment.addresses.is_empty() {
            lines.push(format!("{name:<12} {mac:<18} {:<16} {:<16} UP", "none", ""));
        }
        for address in &attachment.addresses {
            let (ip, mask) = (address.addr().to_string(), address.netmask().to_string());
            lines.push(format!("{name:<12} {mac:<18} {ip:<16} {mask:<16} UP"));
        }
    }
    let gateways = request.attachments.iter().flat_map(|attachment| &attachment.gateways);
    lines.extend(gateways.map(|gateway| format!("Default gateway {gateway}")));
    if let Wanted::Dmz(network) = &running.plan().network {
        lines.extend(network.dns.iter().map(|server| format!("DNS server {server}")));
    }
    if !request.publish.is_empty() {
        let ports: Vec<_> = request.publish.iter().map(ToString::to_string).collect();
        lines.push(format!("Published {}", ports.join(", ")));
    }
    lines.iter().for_each(|line| say(line));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_text_too_long_to_read_its_start_and_end_are_left() {
        for text in [String::new(), "--name=x: taken".to_owned(), "x".repeat(600)] {
            assert_eq!(readable(&text), text);
        }
        for sign in ["x", "\u{fc}", "\u{1f980}"] {
            let text = format!("--name={}: taken", sign.repeat(1 << 17));
            let told = readable(&text);
            assert!(told.len() <= 603 && told.starts_with("--name=") && told.ends_with(": taken"), "{told}");
        }
    }
}
