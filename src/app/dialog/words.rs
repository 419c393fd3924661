//! A command as one types it into a shell, taken apart into its words. Nothing is looked up or replaced: what stands there is what runs.

/// The words: blanks part them but between quotes; `\` takes the next character as it is, in double quotes only before `"` and `\`.
///
/// # Errors
/// One line: a quote that nobody closed, or a `\` at the end.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut chars) = (Vec::new(), None::<String>, text.chars());
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a ' is not closed".to_owned()),
                    }
                }
            }
            '"' => quoted(word.get_or_insert_default(), &mut chars)?,
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("a \\ stands at the end")?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// What stands in double quotes.
fn quoted(word: &mut String, chars: &mut std::str::Chars<'_>) -> Result<(), String> {
    let open = || "a \" is not closed".to_owned();
    loop {
        match chars.next().ok_or_else(open)? {
            '"' => return Ok(()),
            '\\' => match chars.next().ok_or_else(open)? {
                c @ ('"' | '\\') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn quotes_keep_together_what_blanks_would_part() {
        let words = |text: &str| split(text).expect("every quote is closed").join("|");
        for (text, wanted) in [
            ("", ""),
            ("  rake   db:migrate ", "rake|db:migrate"),
            ("sh -c 'echo \"a b\" > /tmp/x'", "sh|-c|echo \"a b\" > /tmp/x"),
            (r#"sh -c "echo \"it's\" \$HOME \\""#, r#"sh|-c|echo "it's" \$HOME \"#),
            (r"a\ b c\'d", "a b|c'd"),
            ("--name='a b'c \"\" x", "--name=a bc||x"),
        ] {
            assert_eq!(words(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_open_at_the_end_is_no_command() {
        for (text, why) in [("sh -c 'echo", "a ' is not closed"), ("say \"x\\", "a \" is not closed"), ("x \\", "a \\ stands at the end")] {
            assert_eq!(split(text), Err(why.to_owned()), "{text}");
        }
    }
}
