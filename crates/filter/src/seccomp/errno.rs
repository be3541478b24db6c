//! `Errno`: the numbers of errno(3) by their names.

use jail_sys::nearest;

/// What a refused call fails with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno {
    name: &'static str,
    number: i32,
}

macro_rules! table {
    ($($name:ident)*) => {
        /// Every name; where two are for one number, the usual one comes first.
        const TABLE: &[Errno] = &[$(Errno { name: stringify!($name), number: libc::$name }),*];
    };
}

table! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV
    ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK
    ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT
    EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT
    ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC
    EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT
    ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET
    ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH
    EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY
    EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON
    EWOULDBLOCK EDEADLOCK ENOTSUP
}

impl Errno {
    /// Operation not permitted: what a filter answers unless told otherwise.
    pub const EPERM: Errno = Errno { name: "EPERM", number: libc::EPERM };

    /// The one with this name.
    pub fn named(name: &str) -> Option<Errno> {
        TABLE.iter().find(|errno| errno.name == name).copied()
    }

    /// The name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The number.
    pub fn number(self) -> i32 {
        self.number
    }

    /// The name most like a wrong one.
    pub(crate) fn nearest(name: &str) -> Option<&'static str> {
        nearest(name, TABLE.iter().map(|errno| errno.name))
    }

    /// A number in words: by its name where it has one.
    pub(crate) fn shown(number: i32) -> String {
        let known = TABLE.iter().find(|errno| errno.number == number);
        known.map_or_else(|| format!("errno {number}"), |errno| errno.name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_there_is_has_a_name() {
        // 41 and 58 are EWOULDBLOCK's and EDEADLOCK's own on other architectures.
        for number in (1..=133).filter(|number| ![41, 58].contains(number)) {
            let name = Errno::shown(number);
            assert_eq!(Errno::named(&name).map(Errno::number), Some(number), "{name}");
        }
        assert_eq!(Errno::shown(libc::EAGAIN), "EAGAIN");
        assert_eq!(Errno::shown(4000), "errno 4000");
        assert_eq!(Errno::named("EWOULDBLOCK").map(Errno::number), Some(libc::EAGAIN));
        assert_eq!(Errno::named("eperm"), None);
    }
}
