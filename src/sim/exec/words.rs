//! A command line cut into words as the agent does it: quotes and backslashes, and no shell.

/// The words of a command.
///
/// # Errors
/// What is wrong, in the agent's words.
pub(super) fn split(command: &str) -> Result<Vec<String>, &'static str> {
    let (mut words, mut word, mut begun) = (Vec::new(), String::new(), false);
    let mut quote = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"'), '\\') => match chars.next() {
                Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                Some(c) => word.extend(['\\', c]),
                None => return Err("EOF found after escape character"),
            },
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, '\\') => match chars.next() {
                Some(c) => {
                    word.push(c);
                    begun = true;
                }
                None => return Err("EOF found after escape character"),
            },
            (None, c) if c.is_whitespace() => {
                if std::mem::take(&mut begun) {
                    words.push(std::mem::take(&mut word));
                }
            }
            (None, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if quote.is_some() {
        return Err("EOF found when expecting closing quote");
    }
    if begun {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_together_and_nothing_is_expanded() {
        for (command, words) in [
            ("/bin/sh", vec!["/bin/sh"]),
            ("  sh   -c 'echo $HOME; ls | wc -l' ", vec!["sh", "-c", "echo $HOME; ls | wc -l"]),
            (r#"sh -c "printf \"%s\" \$?""#, vec!["sh", "-c", "printf \"%s\" $?"]),
            (r"a\ b '' c'd'e", vec!["a b", "", "cde"]),
            (r#"sh -c 'it'"'"'s'"#, vec!["sh", "-c", "it's"]),
            ("", vec![]),
        ] {
            assert_eq!(split(command).as_deref(), Ok(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()[..]), "{command}");
        }
        assert!(split("sh -c 'oops").is_err());
        assert!(split("oops\\").is_err());
    }
}
