//! `User`: who a jail's command runs as, looked up in the jail's own passwd and group files.

use jail_fs::MountPlan;
use jail_sys::{Failure, Kind};
use serde::{Deserialize, Serialize};

/// How many ids a jail has.
const IDS: u32 = 65536;

/// Who a jail's command runs as, in the jail's own numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its name; the number of one that has none.
    pub name: String,
    /// uid.
    pub uid: u32,
    /// gid.
    pub gid: u32,
    /// Supplementary groups, from the group file.
    pub groups: Vec<u32>,
    /// Its home directory.
    pub home: String,
}

impl User {
    /// The default.
    pub(crate) fn root() -> Self {
        User { name: "root".into(), uid: 0, gid: 0, groups: Vec::new(), home: "/root".into() }
    }

    /// The user that `U[:G]` means to a jail that sees `view`.
    ///
    /// # Errors
    /// When there is no such user or group.
    pub(crate) fn find(asked: &str, view: &MountPlan) -> Result<Self, Failure> {
        let read = |path| view.read(path).map(Option::unwrap_or_default);
        find(asked, &read("/etc/passwd")?, &read("/etc/group")?)
    }
}

fn find(asked: &str, passwd: &str, group: &str) -> Result<User, Failure> {
    let option = format!("--user={asked}");
    let refuse = |kind, why: String, hint: &str| {
        Failure::new(kind, "namespace", "parse", &*option, format!("{option}: {why}")).hint(hint)
    };
    let (name, wanted) = match asked.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (asked, None),
    };
    if name.is_empty() || wanted == Some("") {
        return Err(refuse(
            Kind::Usage,
            "there is a name missing".into(),
            "write it --user=NAME or --user=NAME:GROUP",
        ));
    }
    let in_range = |number: u32| match number < IDS {
        true => Ok(number),
        false => Err(refuse(
            Kind::Usage,
            format!("{number} is not one of the {IDS} ids that a jail has"),
            "choose one below it",
        )),
    };
    let mut user = match (entry(passwd, name, 7), number(name)) {
        (Some(fields), _) => {
            let ids = fields[2].parse().ok().zip(fields[3].parse().ok());
            let (uid, gid) = ids.ok_or_else(|| {
                refuse(Kind::Invalid, format!("the passwd file has no numbers for {name}"), "mend it")
            })?;
            let home = if fields[5].starts_with('/') { fields[5] } else { "/" };
            User { name: fields[0].into(), uid: in_range(uid)?, gid, groups: Vec::new(), home: home.into() }
        }
        (None, Some(uid)) if wanted.is_some() => {
            User { name: name.into(), uid: in_range(uid)?, home: "/".into(), ..User::root() }
        }
        (None, Some(uid)) => {
            in_range(uid)?;
            let hint = format!("say its group as well, like --user={uid}:{uid}");
            return Err(refuse(Kind::NotFound, "the jail's passwd file has no such user".into(), &hint));
        }
        (None, None) => {
            let hint = "name one of the jail's /etc/passwd, or numbers like --user=1000:1000";
            return Err(refuse(Kind::NotFound, format!("there is no user {name} in the jail"), hint));
        }
    };
    if let Some(wanted) = wanted {
        let known = entry(group, wanted, 4).and_then(|fields| fields[2].parse().ok());
        user.gid = known.or(number(wanted)).ok_or_else(|| {
            let hint = "name one of the jail's /etc/group, or a number";
            refuse(Kind::NotFound, format!("there is no group {wanted} in the jail"), hint)
        })?;
    }
    user.gid = in_range(user.gid)?;
    user.groups = groups_of(&user.name, user.gid, group);
    user.groups.iter().try_for_each(|gid| in_range(*gid).map(|_| ()))?;
    Ok(user)
}

/// A number that is written as one.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The fields of the entry with this name, or with this number, which is the third field in both files. What is written
/// as a number is one: whoever asks for a number must not get whom a file of the jail's calls so.
fn entry<'a>(file: &'a str, wanted: &str, fields: usize) -> Option<Vec<&'a str>> {
    let digits = wanted.bytes().all(|byte| byte.is_ascii_digit());
    let number = number(wanted);
    let meant = |entry: &Vec<&str>| match digits {
        true => number.is_some() && entry[2].parse().ok() == number,
        false => entry[0] == wanted,
    };
    file.lines()
        .map(|line| line.split(':').collect())
        .find(|entry: &Vec<_>| entry.len() == fields && meant(entry))
}

/// The groups that list the user, but its own.
fn groups_of(name: &str, own: u32, file: &str) -> Vec<u32> {
    let listed = |line: &str| {
        let entry: Vec<_> = line.split(':').collect();
        let [_, _, gid, members] = entry.as_slice() else { return None };
        members.split(',').any(|member| member == name).then(|| gid.parse().ok()).flatten()
    };
    let mut groups: Vec<u32> = file.lines().filter_map(listed).filter(|gid| *gid != own).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/bin/sh\nbig:x:70000:7::/:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nwww-data:x:33:\nadm:x:4:www-data,alice\nssl:x:110:www-data\nbroken:x\n";

    fn found(asked: &str) -> User {
        find(asked, PASSWD, GROUP).unwrap()
    }

    #[test]
    fn a_user_has_the_group_and_home_of_its_entry_and_the_groups_that_list_it() {
        let user = found("www-data");
        assert_eq!((user.uid, user.gid, user.home.as_str()), (33, 33, "/var/www"));
        assert_eq!(user.groups, [4, 110]);
        assert_eq!(found("33"), user);
    }

    #[test]
    fn a_number_is_nobodys_name() {
        let passwd = format!("33:x:0:0::/:/bin/sh\n4294967296:x:0:0::/:/bin/sh\n{PASSWD}");
        let group = format!("4:x:0:\n{GROUP}");
        assert_eq!(find("33", &passwd, &group).unwrap(), found("www-data"));
        assert_eq!(find("33:4", &passwd, &group).unwrap().gid, 4);
        assert_eq!(find("4294967296", &passwd, &group).unwrap_err().kind, Kind::NotFound);
    }

    #[test]
    fn a_group_may_be_named_or_numbered() {
        assert_eq!((found("www-data:adm").gid, found("www-data:adm").groups), (4, vec![110]));
        assert_eq!(found("33:1234").gid, 1234);
        let stranger = found("1234:5678");
        assert_eq!((stranger.name.as_str(), stranger.gid, stranger.home.as_str()), ("1234", 5678, "/"));
    }

    #[test]
    fn who_is_not_there_is_told_and_what_no_host_has_is_a_usage_error() {
        let kind = |asked| find(asked, PASSWD, GROUP).unwrap_err().kind;
        for asked in ["nobody-here", "1234", "www-data:none", "-1", "+33"] {
            assert_eq!(kind(asked), Kind::NotFound, "{asked}");
        }
        for asked in ["", ":", "www-data:", ":adm", "65536:1", "33:65536", "big"] {
            assert_eq!(kind(asked), Kind::Usage, "{asked}");
        }
    }
}
