//! Replies of the JSON protocol: the members of a result, or a refusal, whose code stands in a header or in the body.

use super::{Fault, no_error, refused};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Takes a reply apart; `code` is what its header says of an error.
pub(super) fn read<T: DeserializeOwned>(success: bool, code: Option<&str>, reply: &[u8]) -> Result<T, Fault> {
    if success {
        // An answer without members may be no text at all.
        let members = if reply.is_empty() { b"{}" } else { reply };
        return serde_json::from_slice(members).map_err(|error| Fault::Unreadable(place(&error)));
    }
    let error: Map<String, Value> = if reply.is_empty() { Map::new() } else { serde_json::from_slice(reply).map_err(|_| no_error())? };
    // Services disagree about where the code stands, and about the case of the message.
    let text = |names: [&str; 3]| names.into_iter().find_map(|name| error.get(name)?.as_str());
    let code = code.or_else(|| text(["code", "__type", "Code"])).map(bare).filter(|code| !code.is_empty()).ok_or_else(no_error)?;
    Err(refused(code, text(["message", "Message", "errorMessage"]).unwrap_or_default()))
}

/// Where a reply could not be read. Its text is not told: it may be a secret.
fn place(error: &serde_json::Error) -> String {
    format!("not the JSON that was expected, at column {}", error.column())
}

/// A code without the namespace before it and the address behind it.
fn bare(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sts::error::ProvideErrorMetadata as _;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase", default)]
    struct Key {
        key_id: String,
    }

    #[test]
    fn members_are_read_and_others_left_out() {
        let key: Key = read(true, None, br#"{"KeyId":"a","Of":{"Tomorrow":[1]}}"#).unwrap();
        assert_eq!(key.key_id, "a");
        assert_eq!(read::<Key>(true, None, b"").unwrap(), Key::default());
    }

    #[test]
    fn a_refusal_is_read_wherever_its_code_stands() {
        for (header, body) in [
            (None, r#"{"__type":"com.amazonaws.ssm#TargetNotConnected","Message":"m"}"#),
            (None, r#"{"__type":"TargetNotConnected","message":"m"}"#),
            (Some("TargetNotConnected:http://internal.amazon.com/coral/"), r#"{"message":"m"}"#),
            (None, r#"{"__type":"TargetNotConnected","message":null,"Message":"m","More":[1]}"#),
        ] {
            let Err(Fault::Refused(refused)) = read::<Key>(false, header, body.as_bytes()) else { panic!("it is refused: {body}") };
            assert_eq!((refused.code(), refused.message()), (Some("TargetNotConnected"), Some("m")));
        }
        assert!(
            matches!(read::<Key>(false, Some("AccessDenied"), b""), Err(Fault::Refused(refused)) if refused.code() == Some("AccessDenied"))
        );
    }

    #[test]
    fn rubbish_is_no_answer_and_no_error_of_aws_and_is_not_repeated() {
        for (success, text) in [(true, "<html>"), (true, r#"{"KeyId":7}"#), (false, "Bad gateway"), (false, "{}"), (false, "")] {
            assert!(matches!(read::<Key>(success, None, text.as_bytes()), Err(Fault::Unreadable(_))), "{text}");
        }
        let Err(Fault::Unreadable(why)) = read::<Vec<u8>>(true, None, br#""a-secret""#) else { panic!("a text is no list") };
        assert!(!why.contains("secret"), "{why}");
    }
}
