//! Frames of `application/vnd.amazon.eventstream`, the encoding in which `StartLiveTail` answers.
//!
//! Layout, all big-endian: u32 total length, u32 length of the headers, u32 CRC-32 of those eight bytes, headers, payload,
//! u32 CRC-32 of everything before it. It knows nothing of what the payloads mean.

/// Tag of a header value that is a string.
const STRING: u8 = 7;

/// An event of the stream: `payload` is the JSON of the shape that `event_type` names.
pub(super) fn event(event_type: &str, payload: &[u8]) -> Vec<u8> {
    frame(&[(":message-type", "event"), (":event-type", event_type), (":content-type", "application/json")], payload)
}

/// A modeled exception: it ends the stream.
pub(super) fn exception(exception_type: &str, payload: &[u8]) -> Vec<u8> {
    frame(&[(":message-type", "exception"), (":exception-type", exception_type), (":content-type", "application/json")], payload)
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(128);
    for (name, value) in headers {
        block.push(u8::try_from(name.len()).expect("header names are constants of this file"));
        block.extend_from_slice(name.as_bytes());
        block.push(STRING);
        block.extend_from_slice(&u16::try_from(value.len()).expect("header values are names of shapes").to_be_bytes());
        block.extend_from_slice(value.as_bytes());
    }
    // Prelude of 8 bytes, its checksum, and the checksum of the message.
    let total = 8 + 4 + block.len() + payload.len() + 4;
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(&length(total));
    out.extend_from_slice(&length(block.len()));
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&block);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("an update is capped far below 4 GB").to_be_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    #[test]
    fn a_frame_has_the_documented_layout_and_checksums() {
        let frame = event("sessionUpdate", b"{}");
        let u32_at = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        assert_eq!(u32_at(0) as usize, frame.len());
        assert_eq!(u32_at(8), crc32fast::hash(&frame[..8]));
        let end = frame.len() - 4;
        assert_eq!(u32_at(end), crc32fast::hash(&frame[..end]));
        assert_eq!(&frame[end - 2..end], b"{}");
        assert_eq!(u32_at(4) as usize, frame.len() - 12 - 4 - 2);
        assert_eq!(frame[12], 13, "the first header is :message-type");
        assert_eq!(&frame[13..26], b":message-type");
        assert_eq!(&frame[26..29], &[STRING, 0, 5]);
    }

    #[test]
    fn the_empty_message_has_the_published_bytes() {
        // From the encoding's published test vectors: an empty message.
        assert_eq!(frame(&[], b""), [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff]);
    }
}
