//! Words that are no command line: what clap found wrong with them, as one sentence like every other error's.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};
use jail_core::{Failure, Kind};
use jail_sys::{nearest, short};

use crate::args::Args;

/// What Firejail has an option for, and we a command of another name.
const RENAMED: [(&str, &str); 1] = [("shutdown", "stop")];

/// Why words are no command line.
pub(crate) enum Wrong {
    /// Help or the version was asked for, or there are no words at all.
    Shown(clap::Error),
    /// They make no sense.
    Refused(Failure),
}

/// Reads the words of a command line, the program's name first.
pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Args, Wrong> {
    let mut words: Vec<OsString> = words.into_iter().collect();
    // `jail help run` is `jail run --help`.
    if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        words.push("--help".into());
    }
    let typed: Vec<_> = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let command = Args::command();
    let read = command.clone().try_get_matches_from(words).and_then(|matches| {
        let args = Args::from_arg_matches(&matches)?;
        Ok((args, matches))
    });
    match read {
        Ok((args, matches)) => match empty_option(&command, &matches) {
            Some(option) => {
                Err(Wrong::Refused(Typed::up_to(None, &typed).refuses(&option, without_value(&option))))
            }
            None => Ok(args),
        },
        Err(error) if is_asked_for(&error) => Err(Wrong::Shown(error)),
        Err(error) => Err(Wrong::Refused(explain(&error, &typed))),
    }
}

/// An option that was given an empty value, which means nothing to any of them.
fn empty_option(command: &Command, matches: &ArgMatches) -> Option<String> {
    let options = command.get_arguments().filter_map(|arg| Some((arg.get_id().as_str(), arg.get_long()?)));
    let is_empty = |id: &str| {
        let values = matches.try_get_raw(id).ok().flatten();
        values.into_iter().flatten().any(|value| value.is_empty())
    };
    if let Some((_, long)) = options.into_iter().find(|(id, _)| is_empty(id)) {
        return Some(format!("--{long}"));
    }
    let (name, matches) = matches.subcommand()?;
    empty_option(command.find_subcommand(name)?, matches)
}

fn is_asked_for(error: &clap::Error) -> bool {
    use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    matches!(error.kind(), DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand)
}

/// What is wrong with `typed`, the words after the program's name.
fn explain(error: &clap::Error, typed: &[String]) -> Failure {
    let told = |kind| error.get(kind).map(ToString::to_string).filter(|text| !text.is_empty());
    let given = told(ContextKind::InvalidArg).unwrap_or_default();
    let option = name_of(&given);
    let value = told(ContextKind::InvalidValue).map(|value| short(&value));
    let with_value = || format!("{option}={}", value.as_deref().unwrap_or_default());
    let here = Typed::up_to(None, typed);
    match error.kind() {
        ErrorKind::UnknownArgument => unknown_argument(&option, &Typed::up_to(Some(&option), typed)),
        ErrorKind::InvalidSubcommand => {
            let word = told(ContextKind::InvalidSubcommand).unwrap_or_default();
            unknown_command(&word, &Typed::up_to(Some(&word), typed))
        }
        ErrorKind::ValueValidation if value.is_some() => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            here.refuses(&with_value(), format!("{}: {why}", with_value()))
        }
        ErrorKind::InvalidValue if value.is_some() => {
            let valid = told(ContextKind::ValidValue).unwrap_or_default();
            here.refuses(&with_value(), format!("{}: it is one of {valid}", with_value()))
        }
        ErrorKind::ValueValidation
        | ErrorKind::InvalidValue
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues => here.refuses(&option, without_value(&option)),
        ErrorKind::TooManyValues => {
            here.refuses(&with_value(), format!("{}: it takes no value", with_value()))
        }
        ErrorKind::NoEquals => here.refuses(&option, format!("{option}: its value goes behind a '='")),
        ErrorKind::ArgumentConflict => {
            let other = told(ContextKind::PriorArg).map_or_else(String::new, |other| name_of(&other));
            let message = if other == option {
                format!("{option} is given twice")
            } else {
                format!("{option} and {other} contradict each other")
            };
            here.refuses(&option, message)
        }
        ErrorKind::MissingRequiredArgument => {
            here.refuses(&given, missing(error.get(ContextKind::InvalidArg)))
        }
        _ => here.refuses("command line", first_paragraph(error)),
    }
}

/// How far the words were understood: the command that they came to.
struct Typed<'a> {
    words: &'a [String],
    /// The command's words, each with a space behind it; nothing when there is none yet.
    line: String,
    command: Command,
}

impl<'a> Typed<'a> {
    /// The command that stands before `wrong`, or in all of `words`.
    fn up_to(wrong: Option<&str>, words: &'a [String]) -> Self {
        let (mut line, mut command) = (String::new(), Args::command());
        command.build(); // global options are every command's from now on
        let understood = |word: &&String| *word != "--" && wrong.is_none_or(|wrong| !is(word, wrong));
        for word in words.iter().take_while(understood) {
            if let Some(found) = command.find_subcommand(word) {
                line = format!("{line}{word} ");
                command = found.clone();
            }
        }
        Typed { words, line, command }
    }

    fn refuses(&self, object: &str, message: String) -> Failure {
        let hint = format!("see: jail {}--help", self.line);
        Failure::new(Kind::Usage, "command", "parse", object, message).hint(hint)
    }
}

/// Whether a word is this option, or this word.
fn is(word: &str, wrong: &str) -> bool {
    word.strip_prefix(wrong).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// An option or a word that the command does not take.
fn unknown_argument(given: &str, typed: &Typed<'_>) -> Failure {
    if !given.starts_with('-') {
        return typed.refuses(given, format!("jail {}takes no such word as {given}", typed.line));
    }
    let failure = typed.refuses(given, format!("there is no option {given}"));
    if typed.line.is_empty()
        && let Some(hint) = elsewhere(given, typed)
    {
        return failure.hint(hint);
    }
    // One with capital letters stands for others.
    let options = typed.command.get_arguments().filter_map(Arg::get_long);
    let options = options.filter(|option| !option.contains(char::is_uppercase));
    match given.strip_prefix("--").and_then(|name| nearest(name, options)) {
        Some(option) => failure.hint(format!("did you mean --{option}?")),
        None => failure,
    }
}

/// Where an option is at home that stands before any command: Firejail has no commands.
fn elsewhere(given: &str, typed: &Typed<'_>) -> Option<String> {
    let word = typed.words.iter().find(|word| is(word, given))?;
    let named = |arg: &Arg| {
        let short = arg.get_short().is_some_and(|short| given == format!("-{short}"));
        short || arg.get_long().is_some_and(|long| given == format!("--{long}"))
    };
    // First of all: --net is no way to say `jail net`.
    if typed.command.find_subcommand("run")?.get_arguments().any(named) {
        return Some(format!("it is an option of run: jail run {word} ..."));
    }
    let name = given.trim_start_matches('-');
    let name = RENAMED.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours);
    typed.command.find_subcommand(name)?;
    let value = word.split_once('=').map_or_else(String::new, |(_, value)| format!(" {value}"));
    Some(format!("it is a command here: jail {name}{value}"))
}

fn unknown_command(word: &str, typed: &Typed<'_>) -> Failure {
    let failure = typed.refuses(word, format!("there is no command {}{word}", typed.line));
    match nearest(word, typed.command.get_subcommands().map(Command::get_name)) {
        Some(command) => failure.hint(format!("did you mean {command}?")),
        None => failure,
    }
}

/// The words that the command cannot do without.
fn missing(args: Option<&ContextValue>) -> String {
    let shown = |arg: &String| arg.replace(" <", "=").replace(['<', '>'], "").replace("...", "");
    let args: Vec<String> = match args {
        Some(ContextValue::Strings(args)) => args.iter().map(shown).collect(),
        _ => Vec::new(),
    };
    match args.as_slice() {
        [one] if one == "COMMAND" => "a command is missing, like bash".to_owned(),
        [one] => format!("{one} is missing"),
        all => format!("{} are missing", all.join(" and ")),
    }
}

fn without_value(option: &str) -> String {
    format!("{option}: there is a value missing")
}

/// An option without what clap shows of its value: `--ip <A[/LEN]|none>`.
fn name_of(given: &str) -> String {
    given.split([' ', '=', '[']).next().unwrap_or(given).to_owned()
}

/// What clap says on its first lines: how to use it follows.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.to_string();
    let words = text.lines().take_while(|line| !line.is_empty()).flat_map(str::split_whitespace);
    words.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<Args, Wrong> {
        read(["jail"].into_iter().chain(line.split_whitespace()).map(OsString::from))
    }

    fn told(line: &str) -> String {
        match read_line(line) {
            Err(Wrong::Refused(failure)) => failure.to_string(),
            _ => panic!("jail {line} is not refused"),
        }
    }

    fn shown(line: &str) -> String {
        match read_line(line) {
            Err(Wrong::Shown(help)) => help.to_string(),
            _ => panic!("jail {line} shows nothing"),
        }
    }

    #[test]
    fn what_is_wrong_is_one_sentence_with_the_users_own_words() {
        for (typed, expected) in [
            ("run --zzzzzz -- true", "there is no option --zzzzzz; see: jail run --help"),
            (
                "run -p 99999 -- true",
                "--publish=99999: '99999' is not a port (1 to 65535); see: jail run --help",
            ),
            ("run --name", "--name: there is a value missing; see: jail run --help"),
            ("run --name=a --name=b true", "--name is given twice; see: jail run --help"),
            ("-q -v list", "--quiet and --debug contradict each other; see: jail list --help"),
            ("run", "a command is missing, like bash; see: jail run --help"),
            ("run --detach=yes true", "--detach=yes: it takes no value; see: jail run --help"),
            ("stop", "JAIL is missing; see: jail stop --help"),
            ("net create", "--subnet=CIDR and NAME are missing; see: jail net create --help"),
            ("list x", "jail list takes no such word as x; see: jail list --help"),
            ("net rm a b", "jail net rm takes no such word as b; see: jail net rm --help"),
            ("nonsense", "there is no command nonsense; see: jail --help"),
            (
                "run --egress=maybe true",
                "--egress=maybe: 'maybe' is not an egress policy: deny or allow; see: jail run --help",
            ),
        ] {
            assert_eq!(told(typed), expected, "{typed}");
        }
    }

    #[test]
    fn a_value_that_is_none_is_told_without_the_words_of_a_parser() {
        for (typed, expected) in [
            ("run --mtu=foo true", "--mtu=foo: 'foo' is not an MTU (68 to 65535)"),
            ("run --mtu=0 true", "--mtu=0: '0' is not an MTU (68 to 65535)"),
            ("run --defaultgw=foo true", "--defaultgw=foo: 'foo' is not an IPv4 address"),
            ("run --dns=foo true", "--dns=foo: 'foo' is not a machine's IP address"),
            ("stop x --timeout=abc", "--timeout=abc: 'abc' is not a number of seconds"),
            (
                "net create x --subnet=10.99.0.0",
                "--subnet=10.99.0.0: '10.99.0.0' has no length behind it, like 10.99.0.0/24",
            ),
            ("net create x --subnet=a", "--subnet=a: 'a' is not an IPv4 subnet, like 10.10.20.0/24"),
        ] {
            assert_eq!(told(typed).split(';').next(), Some(expected), "{typed}");
        }
    }

    #[test]
    fn an_empty_value_is_a_missing_one_for_every_option_and_a_word_of_the_commands_own_is_not() {
        for option in ["net", "ip", "seccomp", "seccomp.drop", "caps.keep", "private", "env", "rlimit-as"] {
            let expected = format!("--{option}: there is a value missing; see: jail run --help");
            assert_eq!(told(&format!("run --{option}= true")), expected);
        }
        assert_eq!(told("--backend= list"), "--backend: there is a value missing; see: jail list --help");
        assert!(read_line("run --seccomp --private true --net=").is_ok());
    }

    #[test]
    fn a_misspelt_option_or_command_is_told_with_the_one_it_is_much_like_and_no_other() {
        for (typed, near) in [
            ("run --nett=br0 true", "--net"),
            ("run --rlimit-NOFILE=4 true", "--rlimit-nofile"),
            ("run --Name=x true", "--name"),
            ("run --jsn true", "--json"),
            ("net create x --brige=br0", "--bridge"),
            ("rnu nginx", "run"),
            ("stopp web", "stop"),
            ("net lst", "list"),
        ] {
            assert!(told(typed).ends_with(&format!("; did you mean {near}?")), "{typed}: {}", told(typed));
        }
        for option in ["listen=80", "port=80", "bridge=br0", "shell=none", "isolate"] {
            let sentence = told(&format!("run --{option} true"));
            assert!(sentence.ends_with("; see: jail run --help"), "{sentence}");
        }
    }

    #[test]
    fn an_option_before_any_command_is_told_with_its_place() {
        for (typed, place) in [
            ("--list", "it is a command here: jail list"),
            ("--tree", "it is a command here: jail tree"),
            ("--join=web", "it is a command here: jail join web"),
            ("--shutdown=web", "it is a command here: jail stop web"),
            ("--net=br0 nginx", "it is an option of run: jail run --net=br0 ..."),
            ("-q --private run nginx", "it is an option of run: jail run --private ..."),
            ("-d nginx", "it is an option of run: jail run -d ..."),
            ("--jsn list", "did you mean --json?"),
        ] {
            assert!(told(typed).ends_with(&format!("; {place}")), "{typed}: {}", told(typed));
        }
    }

    #[test]
    fn help_is_the_same_as_a_command_and_as_an_option() {
        for command in ["", "run", "net create"] {
            assert_eq!(shown(&format!("help {command}")), shown(&format!("{command} --help")));
        }
        assert!(shown("help").contains("jail COMMAND --help"));
    }
}
