//! `midwatch explain`: judges what AWS said, without an account and without a screen.
//!
//! Takes the words of the command line and gives the text to print. What the words mean is told by [`crate::verdict::cause`] alone, so
//! that a saved incident reads here as it does on the screen.

mod texts;

use crate::cli::{Explain, Texts};

/// What to print for what is asked.
///
/// # Errors
/// One line when there is nothing to judge.
pub fn answer(asked: &Explain) -> Result<String, String> {
    if asked.texts == Texts::default() {
        return Err("nothing to explain: give --reason, --container-reason, --event, --target, --exit-code or --stop-code".to_owned());
    }
    let told = texts::judge(&asked.texts);
    Ok(if asked.json { texts::json(&told) } else { texts::words(&told) })
}
