//! What a jail is called, and what it executes, by what was typed.

use jail_sys::{Failure, Kind};

use crate::spec::Spec;

/// The name asked for, or the first program's base name.
pub(crate) fn name_of(spec: &Spec) -> Result<String, Failure> {
    let Some(name) = &spec.name else {
        let first = spec.command.first().map_or("", String::as_str);
        let word = first
            .split([' ', ';', '&', '|', '<', '>', '(', ')', '$', '\t', '\n'])
            .find(|word| !word.is_empty() && !word.contains('=')); // what is assigned for it is no program
        let base = word.unwrap_or("jail").rsplit('/').next().unwrap_or("jail");
        let clean: String =
            base.chars().filter(|sign| sign.is_ascii_alphanumeric() || "._-".contains(*sign)).collect();
        let clean = clean.trim_start_matches(['.', '-']);
        return Ok(if valid_name(clean) { clean.to_owned() } else { "jail".to_owned() });
    };
    if valid_name(name) {
        return Ok(name.clone());
    }
    let message = format!(
        "--name={name}: a name is 1 to 63 letters, digits, '-', '_' and '.', begins with a letter or digit, and is not only digits"
    );
    Err(Failure::new(Kind::Usage, "namespace", "parse", format!("--name={name}"), message)
        .hint("choose another, like --name=web"))
}

/// A name that is also a host name and a directory's name, and never reads as a pid.
fn valid_name(name: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=63).contains(&name.len())
        && name.bytes().all(sign)
        && name.as_bytes()[0].is_ascii_alphanumeric()
        && !name.bytes().all(|byte| byte.is_ascii_digit())
}

/// One argument that holds spaces or shell signs is the shell's; otherwise it is an argv.
pub(crate) fn argv_of(command: &[String]) -> Result<Vec<String>, Failure> {
    const SHELL_SIGNS: &str = " \t\n;&|<>()$`\\\"'*?[]{}~#!";
    match command {
        [] => Err(no_command("there is no command to run")),
        [program, ..] if program.trim().is_empty() => {
            Err(no_command("the command is empty, and it is a program's name or a line for /bin/sh"))
        }
        [line] if line.contains(|sign| SHELL_SIGNS.contains(sign)) => {
            Ok(vec!["/bin/sh".into(), "-c".into(), line.clone()])
        }
        argv => Ok(argv.to_vec()),
    }
}

fn no_command(why: &str) -> Failure {
    Failure::new(Kind::Usage, "command", "parse", "COMMAND", why).hint("name one, like: jail run -- bash")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(command: &str) -> String {
        name_of(&Spec { command: vec![command.to_owned()], ..Spec::default() }).unwrap()
    }

    #[test]
    fn a_jail_is_named_after_its_first_program() {
        assert_eq!(named("rsyslogd; nginx; sleep inf"), "rsyslogd");
        assert_eq!(named("/etc/init.d/nginx start; sleep inf"), "nginx");
        assert_eq!(named("$(x)"), "x");
        assert_eq!(named("7z"), "7z");
        assert_eq!(named("123"), "jail");
    }

    #[test]
    fn a_name_that_could_be_a_pid_or_a_path_is_refused() {
        for name in ["123", "", "a/b", "../x", ".hidden", "-x", "a b", &"x".repeat(64)] {
            let spec = Spec { name: Some(name.to_owned()), ..Spec::default() };
            assert_eq!(name_of(&spec).unwrap_err().kind, Kind::Usage, "{name}");
        }
    }

    #[test]
    fn a_command_without_a_sign_in_it_is_wrong_words() {
        for command in [&[][..], &[""], &[" \n"], &["", "x"]] {
            let command: Vec<_> = command.iter().map(|&part| part.to_owned()).collect();
            let refused = argv_of(&command).unwrap_err();
            assert_eq!((refused.kind, &*refused.hint), (Kind::Usage, "name one, like: jail run -- bash"));
        }
    }

    #[test]
    fn only_a_single_argument_with_shell_signs_is_the_shells() {
        let argv = |command: &[&str]| {
            argv_of(&command.iter().map(|&part| part.to_owned()).collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(argv(&["rsyslogd; nginx; sleep inf"]), ["/bin/sh", "-c", "rsyslogd; nginx; sleep inf"]);
        assert_eq!(argv(&["nginx"]), ["nginx"]);
        assert_eq!(argv(&["nginx", "-g", "daemon off;"]), ["nginx", "-g", "daemon off;"]);
    }
}
