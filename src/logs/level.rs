//! How serious a line is, read from what programs write: a JSON field, a word near the start, the marks of a crash.
//!
//! A guess, made once per line from its first bytes; a line that says nothing has no level.

use std::fmt;

/// Seriousness, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Finest.
    Trace,
    /// For developers.
    Debug,
    /// Business as usual.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
    /// The program gives up.
    Fatal,
}

/// Bytes at the start of a plain line in which a level is looked for: beyond them it is part of a sentence.
const NEAR: usize = 120;

/// Bytes of a JSON line in which its level field is looked for.
const JSON_NEAR: usize = 4096;

/// Words as programs write them, in upper case.
const WORDS: &[(&str, Level)] = &[
    ("TRACE", Level::Trace),
    ("TRC", Level::Trace),
    ("FINEST", Level::Trace),
    ("DEBUG", Level::Debug),
    ("DBG", Level::Debug),
    ("FINE", Level::Debug),
    ("INFO", Level::Info),
    ("INF", Level::Info),
    ("INFORMATION", Level::Info),
    ("NOTICE", Level::Info),
    ("LOG", Level::Info),
    ("WARN", Level::Warn),
    ("WRN", Level::Warn),
    ("WARNING", Level::Warn),
    ("ERROR", Level::Error),
    ("ERR", Level::Error),
    ("SEVERE", Level::Error),
    ("FATAL", Level::Fatal),
    ("FTL", Level::Fatal),
    ("CRITICAL", Level::Fatal),
    ("CRIT", Level::Fatal),
    ("ALERT", Level::Fatal),
    ("EMERG", Level::Fatal),
    ("EMERGENCY", Level::Fatal),
    ("PANIC", Level::Fatal),
];

/// Fields of JSON lines that hold a level, as the common loggers name them.
const FIELDS: &[&str] = &["level", "severity", "lvl", "levelname", "log.level", "loglevel", "@l", "severityText", "status_level"];

/// Beginnings that mean trouble though no level is named.
const CRASHES: &[(&str, Level)] = &[
    ("Traceback (most recent call last)", Level::Error),
    ("Exception in thread", Level::Error),
    ("Unhandled exception", Level::Error),
    ("Uncaught ", Level::Error),
    ("PHP Fatal error", Level::Fatal),
    ("PHP Parse error", Level::Fatal),
    ("PHP Warning", Level::Warn),
    ("panic: ", Level::Fatal),
    ("fatal error: ", Level::Fatal),
    ("Segmentation fault", Level::Fatal),
];

impl Level {
    /// The level of a line of text.
    #[must_use]
    pub fn of(text: &str) -> Option<Level> {
        let text = text.trim_start();
        if text.starts_with('{') {
            return field(head(text, JSON_NEAR));
        }
        let text = head(text, NEAR);
        CRASHES
            .iter()
            .find(|(start, _)| text.starts_with(start))
            .map(|(_, level)| *level)
            .or_else(|| klog(text))
            .or_else(|| word_in(text))
            .or_else(|| access_log(text))
    }

    /// The word shown, in five letters at most.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
            Level::Fatal => "FATAL",
        }
    }

    /// A mark beside the word, so that colour is never alone.
    #[must_use]
    pub fn glyph(self) -> char {
        match self {
            Level::Error | Level::Fatal => '✖',
            Level::Warn => '▲',
            _ => ' ',
        }
    }

    /// Reads a level that stands alone: a word in any case, or a number of bunyan and pino.
    #[must_use]
    pub fn parse(word: &str) -> Option<Level> {
        let upper = word.trim().to_ascii_uppercase();
        WORDS.iter().find(|(name, _)| *name == upper).map(|(_, level)| *level).or_else(|| match upper.parse::<u32>().ok()? {
            10 => Some(Level::Trace),
            20 => Some(Level::Debug),
            30 => Some(Level::Info),
            40 => Some(Level::Warn),
            50 => Some(Level::Error),
            60 => Some(Level::Fatal),
            _ => None,
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Names of the JSON fields that hold a level.
pub(super) fn is_level_field(name: &str) -> bool {
    FIELDS.contains(&name)
}

/// The first bytes of a text, cut between characters.
fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The level field of a JSON line, found without parsing the rest.
fn field(text: &str) -> Option<Level> {
    FIELDS.iter().find_map(|name| {
        let quoted = format!("\"{name}\"");
        let at = memchr::memmem::find(text.as_bytes(), quoted.as_bytes())?;
        let value = text[at + quoted.len()..].trim_start().strip_prefix(':')?.trim_start();
        let value = value.strip_prefix('"').unwrap_or(value);
        Level::parse(value.split(['"', ',', '}']).next()?)
    })
}

/// `E1121 03:11:39.004 …`, as Kubernetes' and Google's C++ programs write.
fn klog(text: &str) -> Option<Level> {
    let bytes = text.as_bytes();
    if bytes.len() < 6 || !bytes[1..5].iter().all(u8::is_ascii_digit) || bytes[5] != b' ' {
        return None;
    }
    match bytes[0] {
        b'I' => Some(Level::Info),
        b'W' => Some(Level::Warn),
        b'E' => Some(Level::Error),
        b'F' => Some(Level::Fatal),
        _ => None,
    }
}

/// The first word that is a level: in capitals anywhere near the start, in small letters only where programs put levels, as in
/// `level=warn`, `[error]` and `error: …`; otherwise it is a word of a sentence.
fn word_in(text: &str) -> Option<Level> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(start) = bytes[from..].iter().position(u8::is_ascii_alphabetic).map(|at| from + at) {
        let end = bytes[start..].iter().position(|b| !b.is_ascii_alphanumeric()).map_or(bytes.len(), |at| start + at);
        let (word, before, after) = (&text[start..end], start.checked_sub(1).map(|at| bytes[at]), bytes.get(end));
        let capitals = word.bytes().all(|b| b.is_ascii_uppercase());
        let placed = matches!(before, Some(b'=' | b'[' | b'<' | b'"' | b'|'))
            || (start == 0 && after == Some(&b':'))
            || (before == Some(b'.') && after == Some(&b']'));
        if (capitals && !matches!(after, Some(b'_' | b'-'))) || placed {
            // LOG is PostgreSQL's level, and only with its colon.
            if let Some(level) = Level::parse(word).filter(|_| word != "LOG" || after == Some(&b':')) {
                return Some(level);
            }
        }
        from = end;
    }
    None
}

/// `… HTTP/1.1" 503 …` of an access log: a server's own failure.
fn access_log(text: &str) -> Option<Level> {
    let (_, rest) = text.split_once(" HTTP/")?;
    let status = rest.split_once("\" ")?.1.split(' ').next()?;
    (status.len() == 3 && status.starts_with('5')).then_some(Level::Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_where_programs_write_them() {
        for (line, level) in [
            ("2026-11-21T03:11:38.020Z INFO request completed", Some(Level::Info)),
            ("2026-11-21 03:11:38,020 [main] WARN  c.a.Basket - slow", Some(Level::Warn)),
            (r#"{"time":"x","level":"error","msg":"no"}"#, Some(Level::Error)),
            (r#"{"level":40,"msg":"pino"}"#, Some(Level::Warn)),
            (r#"{ "severity" : "CRITICAL" }"#, Some(Level::Fatal)),
            ("ts=1 level=debug msg=x", Some(Level::Debug)),
            ("2026/11/21 03:11:38 [error] 31#31: *1 connect() failed", Some(Level::Error)),
            ("E1121 03:11:39.004 1 main.go:12] boom", Some(Level::Error)),
            ("Traceback (most recent call last):", Some(Level::Error)),
            ("panic: runtime error: index out of range", Some(Level::Fatal)),
            ("error: cannot find module", Some(Level::Error)),
            (r#"10.0.0.1 - - [21/Nov/2026:03:11:38 +0000] "GET /pay HTTP/1.1" 503 12"#, Some(Level::Error)),
            (r#"10.0.0.1 - - [21/Nov/2026:03:11:38 +0000] "GET /pay HTTP/1.1" 200 12"#, None),
            ("WARNING: 3 retries after error", Some(Level::Warn)),
            ("[2026-11-21 03:11:38] production.ERROR: SQLSTATE", Some(Level::Error)),
            ("no error was found", None),
            ("listening on :8080", None),
            ("ERROR_CODE=1 is set", None),
        ] {
            assert_eq!(Level::of(line), level, "{line}");
        }
    }

    #[test]
    fn a_level_beyond_the_start_of_a_line_is_part_of_its_sentence() {
        assert_eq!(Level::of(&format!("{} ERROR", "x".repeat(NEAR))), None);
    }
}
