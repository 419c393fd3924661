//! Python environments with pinned packages from `PyPI`, made once and kept in the build folder.
//!
//! Knows nothing of what is run in them.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{env, fs};

/// The Python of an environment that holds exactly what `tests/contract/{requirements}` names.
///
/// `PYTHON` names the interpreter to start from, `python3` unless set.
pub fn environment(requirements: &str) -> PathBuf {
    // Tests run beside each other, and none may take away what another one is making.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = contract_folder().join(requirements);
    let pins = fs::read_to_string(&wanted).expect("the requirements stand in the repository");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(requirements.replace(".txt", "-venv"));
    let interpreter = folder.join("bin/python");
    // Written last, so an environment that was cut off half made is made again.
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == pins) {
        return interpreter;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an old environment can be removed");
    }
    let python = env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    run(Command::new(&python).args(["-m", "venv"]).arg(&folder));
    run(Command::new(&interpreter)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"])
        .arg(&wanted));
    fs::write(&stamp, pins).expect("a file can be written beside the environment");
    interpreter
}

/// Where the Python of the contract tests stands.
pub fn contract_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract")
}

/// Runs a command to its end and shows what it says; panics if it fails.
pub fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?} cannot start: {error}"));
    assert!(status.success(), "{command:?} ended with {status}");
}
