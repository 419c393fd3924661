//! The way out of a session that hangs: Enter, `~`, `.`, as in ssh. Everything else goes to the remote as it was typed.

/// What typed bytes become.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// For the remote.
    Bytes(Vec<u8>),
    /// The user wants out.
    Leave,
    /// The user wants to know what can be typed.
    Help,
}

/// Where in the sequence the user is.
#[derive(Debug, Default, PartialEq, Eq)]
enum At {
    /// At the beginning of a line.
    #[default]
    Start,
    Within,
    /// After a tilde at the beginning of a line, which has not been sent.
    Tilde,
}

/// Looks for the sequence.
#[derive(Debug, Default)]
pub struct Escape(At);

impl Escape {
    /// Takes typed bytes.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let (mut told, mut out) = (Vec::new(), Vec::new());
        for &byte in bytes {
            let at = std::mem::replace(&mut self.0, At::Within);
            match (at, byte) {
                (At::Start, b'~') => self.0 = At::Tilde,
                (At::Tilde, b'.') => {
                    told.extend((!out.is_empty()).then(|| Typed::Bytes(std::mem::take(&mut out))));
                    told.push(Typed::Leave);
                    return told;
                }
                (At::Tilde, b'?') => {
                    told.extend((!out.is_empty()).then(|| Typed::Bytes(std::mem::take(&mut out))));
                    told.push(Typed::Help);
                    self.0 = At::Start;
                }
                // A tilde that is meant for the remote is typed twice.
                (At::Tilde, b'~') => out.push(b'~'),
                (at, byte) => {
                    out.extend((at == At::Tilde).then_some(b'~'));
                    out.push(byte);
                    if matches!(byte, b'\r' | b'\n') {
                        self.0 = At::Start;
                    }
                }
            }
        }
        told.extend((!out.is_empty()).then_some(Typed::Bytes(out)));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(chunks: &[&str]) -> (String, Vec<Typed>) {
        let mut escape = Escape::default();
        let (mut sent, mut others) = (String::new(), Vec::new());
        for told in chunks.iter().flat_map(|chunk| escape.take(chunk.as_bytes())) {
            match told {
                Typed::Bytes(bytes) => sent.push_str(std::str::from_utf8(&bytes).unwrap()),
                other => others.push(other),
            }
        }
        (sent, others)
    }

    #[test]
    fn enter_tilde_dot_leaves() {
        assert_eq!(typed(&["ls\r", "~", "."]), ("ls\r".into(), vec![Typed::Leave]));
        assert_eq!(typed(&["~."]), (String::new(), vec![Typed::Leave]), "the beginning is the beginning of a line");
        assert_eq!(typed(&["ls\r~.rm\r"]), ("ls\r".into(), vec![Typed::Leave]));
    }

    #[test]
    fn everything_else_goes_to_the_remote() {
        assert_eq!(typed(&["cd ~/x\r", "a~.", "\r~x", "\r", "~~."]), ("cd ~/x\ra~.\r~x\r~.".into(), vec![]));
        assert_eq!(typed(&["\r~", "?", "~?x"]), ("\rx".into(), vec![Typed::Help, Typed::Help]));
    }
}
