//! Runs a program as on a kernel without a system call: `without NUMBER PROGRAM [ARGUMENT...]`. The call answers ENOSYS,
//! to everything below as well.

use std::collections::BTreeMap;
use std::error::Error;
use std::os::unix::process::CommandExt;
use std::process::Command;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let number: i64 = arguments.next().ok_or("which call?")?.parse()?;
    let program = arguments.next().ok_or("which program?")?;
    let missing = BTreeMap::from([(number, Vec::new())]);
    let answer = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let filter =
        SeccompFilter::new(missing, SeccompAction::Allow, answer, std::env::consts::ARCH.try_into()?)?;
    seccompiler::apply_filter(&BpfProgram::try_from(filter)?)?;
    Err(Command::new(program).args(arguments).exec().into())
}
