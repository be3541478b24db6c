//! Words that are no command line: what clap found wrong with them, as one sentence like every other error's.

use clap::CommandFactory;
use clap::error::{ContextKind, ErrorKind};
use jail_core::{Failure, Kind};

use crate::args::Args;

/// What is wrong with `typed`, the words after the program's name.
pub(crate) fn explain(error: &clap::Error, typed: &[String]) -> Failure {
    let told = |kind| error.get(kind).map(ToString::to_string).filter(|text| !text.is_empty());
    let given = told(ContextKind::InvalidArg).unwrap_or_default();
    let option = name_of(&given);
    let with_value = || format!("{option}={}", told(ContextKind::InvalidValue).unwrap_or_default());
    let suggested =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let nearest = suggested.into_iter().find_map(told).map(|words| format!("did you mean {words}?"));
    let (object, message) = match error.kind() {
        ErrorKind::UnknownArgument => (option.clone(), format!("there is no option {option}")),
        ErrorKind::InvalidSubcommand => {
            let command = told(ContextKind::InvalidSubcommand).unwrap_or_default();
            let message = format!("there is no command {command}");
            (command, message)
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            (with_value(), format!("{}: {why}", with_value()))
        }
        ErrorKind::InvalidValue if told(ContextKind::InvalidValue).is_some() => {
            let valid = told(ContextKind::ValidValue).unwrap_or_default();
            (with_value(), format!("{}: it is one of {valid}", with_value()))
        }
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            (option.clone(), format!("{option}: there is a value missing"))
        }
        ErrorKind::NoEquals => (option.clone(), format!("{option}: its value goes behind a '='")),
        ErrorKind::ArgumentConflict => {
            let other = told(ContextKind::PriorArg).map_or_else(String::new, |other| name_of(&other));
            let message = if other == option {
                format!("{option} is given twice")
            } else {
                format!("{option} and {other} contradict each other")
            };
            (option.clone(), message)
        }
        ErrorKind::MissingRequiredArgument => (given.clone(), format!("{given} is missing")),
        _ => ("command line".to_owned(), first_paragraph(error)),
    };
    let hint = nearest.unwrap_or_else(|| format!("see: jail {}--help", command_in(typed)));
    Failure::new(Kind::Usage, "command", "parse", object, message).hint(hint)
}

/// An option without what clap shows of its value: `--ip <A[/LEN]|none>`.
fn name_of(given: &str) -> String {
    given.split([' ', '=', '[']).next().unwrap_or(given).to_owned()
}

/// The command that was typed, with a space behind each of its words; nothing when there is none.
fn command_in(typed: &[String]) -> String {
    let mut command = Args::command();
    let mut words = String::new();
    for word in typed.iter().take_while(|word| *word != "--") {
        if let Some(found) = command.find_subcommand(word) {
            words = format!("{words}{word} ");
            command = found.clone();
        }
    }
    words
}

/// What clap says on its first lines: how to use it follows.
fn first_paragraph(error: &clap::Error) -> String {
    let text = error.to_string();
    let words = text.lines().take_while(|line| !line.is_empty()).flat_map(str::split_whitespace);
    words.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn told(typed: &str) -> String {
        let typed: Vec<String> = typed.split_whitespace().map(str::to_owned).collect();
        let words = [String::from("jail")].into_iter().chain(typed.iter().cloned());
        explain(&Args::try_parse_from(words).unwrap_err(), &typed).to_string()
    }

    #[test]
    fn what_is_wrong_is_one_sentence_with_the_users_own_words() {
        for (typed, expected) in [
            ("run --nett=br0 -- true", "there is no option --nett; did you mean --net?"),
            ("run --zzzzzz -- true", "there is no option --zzzzzz; see: jail run --help"),
            ("stopp web", "there is no command stopp; did you mean stop?"),
            (
                "run -p 99999 -- true",
                "--publish=99999: '99999' is not a port (1 to 65535); see: jail run --help",
            ),
            ("run --name", "--name: there is a value missing; see: jail run --help"),
            ("run --name=a --name=b true", "--name is given twice; see: jail run --help"),
            ("-q -v list", "--quiet and --debug contradict each other; see: jail list --help"),
            ("run", "<COMMAND>... is missing; see: jail run --help"),
            ("net create", "--subnet <CIDR>, <NAME> is missing; see: jail net create --help"),
            (
                "run --egress=maybe true",
                "--egress=maybe: 'maybe' is not an egress policy: deny or allow; see: jail run --help",
            ),
        ] {
            assert_eq!(told(typed), expected, "{typed}");
        }
    }
}
