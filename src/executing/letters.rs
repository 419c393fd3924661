//! Bytes of any kind through a terminal: as letters, in lines, up to the terminal's end of a file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes in a line. As letters they are 76, far below the 4095 where terminals cut lines.
const LINE: usize = 57;

/// The encoder; what makes no whole line waits.
#[derive(Debug, Default)]
pub struct Letters(Vec<u8>);

impl Letters {
    /// The whole lines that there are now.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.extend_from_slice(bytes);
        let whole = self.0.len() / LINE * LINE;
        let lines: Vec<u8> = self.0.drain(..whole).collect();
        lines.chunks(LINE).flat_map(line).collect()
    }

    /// The rest, and the end.
    pub fn end(&mut self) -> Vec<u8> {
        let mut out = if self.0.is_empty() { Vec::new() } else { line(&std::mem::take(&mut self.0)) };
        // At the beginning of a line it ends the input.
        out.push(0x04);
        out
    }
}

fn line(bytes: &[u8]) -> Vec<u8> {
    let mut line = STANDARD.encode(bytes).into_bytes();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_hold_every_byte_however_the_input_is_cut() {
        let bytes: Vec<u8> = (0..1000_u32).map(|n| u8::try_from(n % 256).unwrap()).collect();
        for piece in [1, 56, 57, 58, 1000] {
            let mut letters = Letters::default();
            let mut out: Vec<u8> = bytes.chunks(piece).flat_map(|piece| letters.take(piece)).collect();
            out.extend(letters.end());
            assert_eq!(out.pop(), Some(0x04));
            let lines: Vec<&[u8]> = out.split(|byte| *byte == b'\n').collect();
            assert!(lines.iter().all(|line| line.len() <= 76));
            let back: Vec<u8> = lines.iter().flat_map(|line| STANDARD.decode(line).unwrap()).collect();
            assert_eq!(back, bytes);
        }
        assert_eq!(Letters::default().end(), [0x04]);
    }
}
