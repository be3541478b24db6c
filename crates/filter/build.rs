//! Turns `data/syscalls.table` into the tables of `src/seccomp/table.rs` for the architecture that is built for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

const TABLE: &str = "data/syscalls.table";

struct Call<'a> {
    name: &'a str,
    number: Option<u32>,
    answer: &'static str,
}

fn main() -> io::Result<()> {
    let text = fs::read_to_string(TABLE)?;
    let column = match env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("x86_64") => 1,
        Ok("aarch64") => 2,
        other => return Err(io::Error::other(format!("no system call table for {other:?}"))),
    };
    let (calls, groups) = text
        .split_once("\n[groups]\n")
        .and_then(|(head, groups)| Some((head.split_once("\n[calls]\n")?.1, groups)))
        .ok_or_else(|| io::Error::other(format!("{TABLE}: no [calls] or no [groups]")))?;
    let calls = read_calls(calls, column)?;
    let groups = read_groups(groups);
    let code = render(&calls, &groups)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("table.rs"), code)
}

/// The lines that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

fn read_calls(text: &str, column: usize) -> io::Result<Vec<Call<'_>>> {
    let mut calls = Vec::new();
    for line in lines(text) {
        let wrong = || io::Error::other(format!("{TABLE}: {line}"));
        let words: Vec<_> = line.split_whitespace().collect();
        let [name, numbers @ .., answer] = words.as_slice() else {
            return Err(wrong());
        };
        let number = match numbers.get(column - 1) {
            Some(&"-") => None,
            Some(number) => Some(number.parse().map_err(|_| wrong())?),
            None => return Err(wrong()),
        };
        let answer = match *answer {
            "allow" => "Allow",
            "check" => "Check",
            "forbid" => "Forbid",
            "absent" => "Absent",
            _ => return Err(wrong()),
        };
        calls.push(Call { name, number, answer });
    }
    calls.sort_by_key(|call| call.name);
    Ok(calls)
}

fn read_groups(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut groups = BTreeMap::new();
    let mut current = "";
    for line in lines(text) {
        let members = match line.split_once(" = ") {
            Some((name, members)) => {
                current = name;
                members
            }
            None => line,
        };
        groups.entry(current).or_insert_with(Vec::new).extend(members.split_whitespace());
    }
    groups
}

/// The calls of a group, with those of the groups it names.
fn expand<'a>(
    groups: &BTreeMap<&str, Vec<&'a str>>,
    calls: &[Call<'_>],
    name: &str,
    into: &mut BTreeSet<&'a str>,
) -> io::Result<()> {
    let unknown = |name: &str| io::Error::other(format!("{TABLE}: {name} is not known"));
    for &member in groups.get(name).ok_or_else(|| unknown(name))? {
        if member.starts_with('@') {
            expand(groups, calls, member, into)?;
        } else if calls.iter().any(|call| call.name == member) {
            into.insert(member);
        } else {
            return Err(unknown(member));
        }
    }
    Ok(())
}

fn render(calls: &[Call<'_>], groups: &BTreeMap<&str, Vec<&str>>) -> io::Result<String> {
    let mut code = String::from("pub(crate) static CALLS: &[Call] = &[\n");
    for Call { name, number, answer } in calls {
        writeln!(code, "    Call {{ name: {name:?}, number: {number:?}, standing: Standing::{answer} }},")
            .map_err(io::Error::other)?;
    }
    code.push_str("];\npub(crate) static GROUPS: &[Group] = &[\n");
    for name in groups.keys() {
        let mut members = BTreeSet::new();
        expand(groups, calls, name, &mut members)?;
        let members: Vec<_> = members.into_iter().collect();
        writeln!(code, "    Group {{ name: {name:?}, members: &{members:?} }},").map_err(io::Error::other)?;
    }
    code.push_str("];\n");
    Ok(code)
}
