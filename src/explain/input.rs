//! What people really paste: the output of other formats of the AWS CLI, colours, quotes, a byte order mark, files of PowerShell.
//!
//! Knows no shape of AWS's JSON; only how to get at the text, and what to say of one that is no JSON.

use std::borrow::Cow;

/// Bytes as text. PowerShell's `>` writes UTF-16; what is neither is told as it can be, for names and sentences of AWS are UTF-8.
pub(super) fn decoded(bytes: &[u8]) -> String {
    let units = |bytes: &[u8], of: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| of([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => units(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The text without a byte order mark in front and without colours, which `jq -C` and some shells leave in what they print.
pub(super) fn uncoloured(text: &str) -> Cow<'_, str> {
    let text = text.trim_start_matches('\u{feff}');
    if !text.contains("\u{1b}[") {
        return text.into();
    }
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // Parameters, then one letter that says what to do.
        let end = part.find(|c: char| !(' '..='?').contains(&c));
        out.push_str(end.map_or("", |end| part.get(end + 1..).unwrap_or_default()));
    }
    out.into()
}

/// Fields that a text may still carry in front when its line was copied out of JSON.
const FIELDS: &[&str] = &["stoppedReason", "rolloutStateReason", "statusReason", "reason", "message", "Description", "Reason"];

/// The text of an argument that was pasted with its quotes, or as a whole line of JSON.
pub(super) fn unquoted(text: &str) -> String {
    const PAIRS: &[(char, char)] = &[('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}'), ('\u{2018}', '\u{2019}')];
    let text = text.trim();
    let line = FIELDS.iter().find_map(|field| Some(text.strip_prefix('"')?.strip_prefix(field)?.strip_prefix("\":")?.trim_start()));
    let text = line.unwrap_or(text);
    let bare = text.strip_suffix(',').filter(|bare| bare.ends_with('"')).unwrap_or(text);
    if let Ok(inner) = serde_json::from_str::<String>(bare) {
        return inner;
    }
    let inner =
        PAIRS.iter().find_map(|(open, close)| bare.strip_prefix(*open)?.strip_suffix(*close).filter(|inner| !inner.contains(*close)));
    inner.unwrap_or(text).to_owned()
}

/// What to do about a text that is no JSON; empty where it begins like JSON.
pub(super) fn advice(text: &str) -> &'static str {
    const KEYS: &[&str] = &["services:", "tasks:", "failures:", "serviceDeployments:", "TargetHealthDescriptions:", "containerInstances:"];
    let text = text.trim_start();
    let first = text.lines().next().unwrap_or_default().trim_end();
    let upper = first.split('\t').next().filter(|word| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase()));
    if first.starts_with("- ") || first == "---" || KEYS.iter().any(|key| first.starts_with(key)) {
        "; it looks like YAML: ask the AWS CLI for --output json"
    } else if first.starts_with("---") || first.starts_with("+--") || first.starts_with('|') {
        "; it looks like a table: ask the AWS CLI for --output json"
    } else if first.contains('\t') && upper.is_some() {
        "; it looks like the text output: ask the AWS CLI for --output json"
    } else if text.starts_with(['{', '[', '"']) {
        ""
    } else {
        "; a single text goes with --reason, --container-reason, --event or --target"
    }
}
