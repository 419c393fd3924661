//! `midwatch explain`: judges what AWS said, without an account and without a screen.
//!
//! Takes the words of the command line and gives the text to print. What the words mean is told by [`crate::verdict::cause`] alone, so
//! that a saved incident reads here as it does on the screen.

pub mod documents;
mod input;
mod json;
pub mod report;
mod texts;

use crate::cli::{Explain, Texts};
use documents::Documents;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

/// Bytes of one file that are read. The reply for a thousand services is a tenth of it.
const LARGEST: u64 = 256 << 20;

/// What to print for what is asked.
///
/// # Errors
/// One line when there is nothing to judge.
pub fn answer(asked: &Explain) -> Result<String, String> {
    if asked.texts == Texts::default() {
        return of_documents(asked);
    }
    let told = texts::judge(&asked.texts);
    Ok(if asked.json { texts::json(&told) } else { texts::words(&told) })
}

fn of_documents(asked: &Explain) -> Result<String, String> {
    if asked.files.is_empty() && std::io::stdin().is_terminal() {
        return Err(
            "nothing to explain: give files, JSON on standard input, or a text by --reason, --container-reason, --event, --target, \
                    --exit-code or --stop-code"
                .to_owned(),
        );
    }
    let mut documents = Documents::default();
    let input = [Path::new("-").to_path_buf()];
    for path in if asked.files.is_empty() { &input[..] } else { &asked.files } {
        let standard = path.as_os_str() == "-";
        let name = if standard { "standard input".to_owned() } else { path.display().to_string() };
        let text = if standard { read(std::io::stdin()) } else { std::fs::File::open(path).and_then(read) };
        documents.read(&name, &text.map_err(|error| format!("cannot read {name}: {error}"))?)?;
    }
    if documents.is_empty() {
        return Err("nothing to explain: the input is empty".to_owned());
    }
    let report = documents.judge(asked.now);
    Ok(if asked.json { format!("{:#}", report.json()) } else { report.text() })
}

fn read(from: impl std::io::Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    from.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(input::decoded(&bytes))
}
