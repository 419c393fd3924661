//! Everything that can go wrong in a channel, laid on its way by the embedded AWS: no byte is lost and none comes twice.

use super::*;

/// Rules that a session survives, several of them at each message.
const ALL: &str = r#"
channel = [
  { kind = "drop", every = 2003 },
  { kind = "duplicate", every = 101 },
  { kind = "reorder", every = 89 },
  { kind = "nul_padding", every = 13 },
  { kind = "bad_digest", every = 2999 },
  { kind = "drop_input", every = 613 },
  { kind = "drop_ack", every = 307 },
  { kind = "bye", every = 19001, times = 2 },
  { kind = "cut", every = 23003, times = 2 },
  { kind = "pause", every = 5003, ms = 30 },
  { kind = "rubbish", every = 1009 },
  { kind = "discard_input", ms = 500 },
]
"#;

const LENGTH: usize = 40_000_000;
const LINES: u32 = 5_200_000;

#[tokio::test]
async fn forty_megabytes_each_way_through_every_trouble_at_once() {
    let world = World::start(Shell::Real).await;
    world.sim.set_faults(ALL).unwrap();
    let command = format!(
        "sh -c 'stty raw -echo; exec 3<&0; echo ready; (head -c {LENGTH} <&3 | (sha256sum || shasum -a 256) > sum) & \
         seq 0 {}; wait; cat sum'",
        LINES - 1
    );
    let mut session = world.open(&command).await;
    shows_all(&mut session).await;
}

/// Sends and reads at the same time, and compares both ways.
async fn shows_all(session: &mut Session) {
    let sending = sends(session, LENGTH);
    let mut expected = Sha256::new();
    let mut length = 6;
    expected.update("ready\n");
    for n in 0..LINES {
        let line = format!("{n}\n");
        length += line.len();
        expected.update(&line);
    }
    let (mut hash, mut came, mut sum, mut lost) = (Sha256::new(), 0, Vec::new(), 0);
    loop {
        match said(session).await {
            Some(Said::Output(bytes)) => {
                let body = bytes.len().min(length - came);
                hash.update(&bytes[..body]);
                came += body;
                sum.extend_from_slice(&bytes[body..]);
            }
            Some(Said::Lost { .. }) => lost += 1,
            Some(Said::Ended(end)) => {
                assert_eq!(end, End::Closed(None));
                break;
            }
            Some(Said::Ready { .. } | Said::Resumed) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((came, hex(&hash.finalize())), (length, hex(&expected.finalize())));
    let (sum, sent) = (String::from_utf8(sum).unwrap(), sending.await.unwrap());
    assert!(sum.contains(&sent), "{sum} and not {sent}");
    assert!(lost >= 2, "the connection broke {lost} times");
}

#[tokio::test]
async fn a_session_that_cannot_be_resumed_says_that_it_timed_out() {
    let world = World::start(Shell::Builtin).await;
    world.sim.set_faults("channel = [{ kind = 'cut', every = 3, times = 1 }, { kind = 'empty_token' }]").unwrap();
    let mut session = world.open("sh").await;
    types(&session, "echo one\r").await;
    let (end, _) = ends(&mut session).await;
    assert!(matches!(&end, End::Closed(Some(why)) if why.contains("timed out")), "{end:?}");
}

#[tokio::test]
async fn the_services_reason_for_closing_a_channel_is_told() {
    let world = World::start(Shell::Builtin).await;
    let why = "We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group.";
    world.sim.set_faults(&format!("channel = [{{ kind = 'closed', message = \"{why}\" }}]")).unwrap();
    let mut session = world.open("sh").await;
    let (end, _) = ends(&mut session).await;
    assert_eq!(end, End::Closed(Some(why.into())));
}
