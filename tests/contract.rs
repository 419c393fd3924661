//! Proof that the embedded AWS is AWS and not our idea of AWS: botocore drives it with its own parsers, paginators and waiters.
//!
//! The checks are Python and stand in `tests/contract`; here is only what makes their environment and starts them.

mod support;

use std::process::Command;

use support::python;

#[test]
#[ignore = "needs Python and PyPI: run by .ci/run"]
fn botocore_finds_aws_in_every_operation() {
    let interpreter = python::environment("requirements.txt");
    python::run(Command::new(interpreter).arg("-B").arg(python::contract_folder().join("run.py")).arg(env!("CARGO_BIN_EXE_midwatch")));
}
