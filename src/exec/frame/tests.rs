//! The frames of the data channel: known vectors byte for byte, and any bytes at all.

use super::*;
use proptest::prelude::*;

const WHEN: u64 = 1_503_434_274_948;

fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// A message of the protocol note, put together from its fields.
fn vector(name: &str, rest: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = hex("00000074");
    out.extend_from_slice(format!("{name:<32}").as_bytes());
    out.extend(hex("00000001 0000015e0baa7884"));
    out.extend(hex(rest));
    out.extend_from_slice(payload);
    out
}

fn keystrokes() -> (Frame, Vec<u8>) {
    let id = uuid("dd01e56b-ff48-483e-a508-b5f073f31b16");
    let frame = Frame {
        kind: Kind::Input,
        created: WHEN,
        sequence: 2,
        flags: 0,
        id,
        payload_type: payload::OUTPUT,
        payload: Bytes::from_static(b"ls\r"),
    };
    let rest = "0000000000000002 0000000000000000 a508b5f073f31b16 dd01e56bff48483e
        1d887ce0f8672e4914d9000e801cd74ecd805dd9366c0bc42dc16adc0197dc2f 00000001 00000003";
    (frame, vector("input_stream_data", rest, b"ls\r"))
}

fn size() -> (Frame, Vec<u8>) {
    let payload = Bytes::from_static(br#"{"cols":120,"rows":40}"#);
    let (frame, _) = keystrokes();
    let rest = "0000000000000000 0000000000000000 a508b5f073f31b16 dd01e56bff48483e
        edf7359c89077b608a6b3e8b19e63bbfc7aa724989a05ea371a9966a6e9db7cc 00000003 00000016";
    let bytes = vector("input_stream_data", rest, &payload);
    (Frame { sequence: 0, payload_type: payload::SIZE, payload, ..frame }, bytes)
}

fn acknowledgement() -> (Frame, Vec<u8>) {
    let text = br#"{"AcknowledgedMessageType":"output_stream_data","AcknowledgedMessageId":"dd01e56b-ff48-483e-a508-b5f073f31b16","AcknowledgedMessageSequenceNumber":0,"IsSequentialMessage":true}"#;
    let frame = Frame {
        kind: Kind::Acknowledge,
        created: WHEN,
        sequence: 0,
        flags: SYN | FIN,
        id: uuid("4b4c1f0e-7d1a-4c8e-9a5b-0123456789ab"),
        payload_type: 0,
        payload: Bytes::from_static(text),
    };
    let rest = "0000000000000000 0000000000000003 9a5b0123456789ab 4b4c1f0e7d1a4c8e
        713a0a17057de630213f7292907ce38462812ea213a29366f537f68c6ab60e85 00000000 000000b0";
    (frame, vector("acknowledge", rest, text))
}

#[test]
fn the_messages_of_the_protocol_note_are_written_and_read_byte_for_byte() {
    for ((frame, bytes), length) in [(keystrokes(), 123), (size(), 142), (acknowledgement(), 296)] {
        assert_eq!(bytes.len(), length);
        assert_eq!(frame.write(), bytes);
        assert_eq!(Frame::read(&bytes.into()).unwrap(), frame);
    }
}

#[test]
fn a_type_may_be_padded_with_zeros() {
    let (frame, mut bytes) = keystrokes();
    bytes[4 + 17..4 + 32].fill(0);
    assert_eq!(Frame::read(&bytes.into()).unwrap(), frame);
}

#[test]
fn every_cut_is_told() {
    let (_, bytes) = keystrokes();
    for cut in 0..bytes.len() {
        assert_eq!(Frame::read(&Bytes::copy_from_slice(&bytes[..cut])), Err(Rubbish::Short(cut)), "cut at {cut}");
    }
}

#[test]
fn what_cannot_be_a_message_is_told() {
    let (_, good) = keystrokes();
    let with = |at: usize, part: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + part.len()].copy_from_slice(part);
        Frame::read(&bytes.into())
    };
    assert_eq!(with(0, &[0; 4]), Err(Rubbish::Header(0)));
    assert_eq!(with(0, &[0xff; 4]), Err(Rubbish::Short(123)));
    assert_eq!(with(4, &[b' '; 32]), Err(Rubbish::Kind));
    assert_eq!(with(4, &[0xff; 32]), Err(Rubbish::Kind));
    assert_eq!(with(40, &[0; 8]), Err(Rubbish::Undated));
    assert_eq!(with(80, &[0; 1]), Err(Rubbish::Digest));
    assert_eq!(with(120, b"x"), Err(Rubbish::Digest));
    assert_eq!(with(116, &[0xff; 4]), Err(Rubbish::Short(123)));
}

#[test]
fn pauses_and_starts_need_neither_date_nor_digest() {
    let (_, mut bytes) = keystrokes();
    bytes[4..36].copy_from_slice(format!("{:<32}", "pause_publication").as_bytes());
    bytes[40..48].fill(0);
    bytes[80..112].fill(0);
    assert_eq!(Frame::read(&bytes.into()).unwrap().kind, Kind::PausePublication);
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Input),
        Just(Kind::Output),
        Just(Kind::Acknowledge),
        Just(Kind::ChannelClosed),
        Just(Kind::StartPublication),
        Just(Kind::PausePublication),
        "[a-z_]{1,31}x".prop_map(Kind::Other),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        kind in kind(),
        created in 1_u64..,
        sequence: i64,
        flags: u64,
        id: u128,
        payload_type: u32,
        payload in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let frame = Frame { kind, created, sequence, flags, id: Uuid::from_u128(id), payload_type, payload: payload.into() };
        prop_assert_eq!(Frame::read(&frame.write()).unwrap(), frame);
    }

    #[test]
    fn no_bytes_whatever_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Frame::read(&bytes.into());
    }

    #[test]
    fn no_change_of_a_good_message_makes_it_panic(at in 0_usize..296, with: u8, cut in 0_usize..300) {
        for (_, mut bytes) in [keystrokes(), size(), acknowledgement()] {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = with;
            }
            bytes.truncate(cut);
            let _ = Frame::read(&bytes.into());
        }
    }
}
