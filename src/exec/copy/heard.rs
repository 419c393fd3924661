//! The container's end of a copy as lines, and what is sent to it: an end that is not read would stop reading too.

use super::lines::Lines;
use crate::exec::checks::explain_failure;
use crate::exec::session::Session;
use crate::exec::{Ask, End, Said, forward};
use crate::text;
use std::time::Duration;

/// A line of the container's end.
pub(super) enum Line {
    /// Part of the file.
    Body(String),
    /// Of the script, without its mark.
    Control(String),
}

/// Reads what the session brings as lines, and sends while it does.
pub(super) struct Heard<'a> {
    wire: &'a mut Session,
    lines: Lines,
    mark: String,
}

impl<'a> Heard<'a> {
    pub(super) fn new(wire: &'a mut Session, nonce: &str) -> Self {
        Heard { wire, lines: Lines::default(), mark: format!("@{nonce} ") }
    }

    pub(super) async fn line(&mut self, within: Option<Duration>) -> Result<Line, String> {
        loop {
            while let Some(line) = self.lines.next() {
                match line.strip_prefix(&self.mark) {
                    Some(control) => return Ok(Line::Control(control.to_owned())),
                    None if line.trim().is_empty() => {}
                    None => return Ok(Line::Body(line)),
                }
            }
            let said = match within {
                Some(within) => tokio::time::timeout(within, self.wire.said.recv()).await,
                None => Ok(self.wire.said.recv().await),
            };
            match said {
                Err(_) => return Err("the container's shell does not answer".to_owned()),
                Ok(said) => self.take(said)?,
            }
        }
    }

    /// The next line of the script; what else comes, an echo of the terminal, is passed over.
    pub(super) async fn control(&mut self, within: Duration) -> Result<String, String> {
        let within = (within != Duration::MAX).then_some(within);
        let mut unread = String::new();
        loop {
            match self.line(within).await {
                Ok(Line::Control(line)) => return Ok(line),
                // What a shell that could not start says, if nothing else comes.
                Ok(Line::Body(line)) => unread = line,
                Err(why) => {
                    let known = explain_failure(&unread).map(|known| format!("{}: {}", known.cause, known.fix));
                    return Err(known.unwrap_or(why));
                }
            }
        }
    }

    fn take(&mut self, said: Option<Said>) -> Result<(), String> {
        match said {
            Some(Said::Output(bytes)) => {
                self.lines.take(&bytes);
                Ok(())
            }
            Some(Said::Ended(End::Closed(why))) => {
                let why = why.filter(|why| !why.trim().is_empty());
                let Some(why) = why else {
                    return Err("the container ended the session before the copy was whole: nothing was kept".to_owned());
                };
                let known = explain_failure(&why).map_or(String::new(), |known| format!(" · {}: {}", known.cause, known.fix));
                Err(format!("{}{known}", text::clean(why.trim())))
            }
            Some(Said::Ended(end)) => Err(forward::words(&end)),
            None => Err("the session is over".to_owned()),
            Some(Said::Ready { .. } | Said::Lost { .. } | Said::Resumed | Said::PortRefused) => Ok(()),
        }
    }

    /// Sends, and reads meanwhile: an end that is not read would stop reading too.
    pub(super) async fn send(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        loop {
            let said = tokio::select! {
                biased;
                place = self.wire.asks.reserve() => {
                    let place = place.map_err(|_| "the session is over".to_owned())?;
                    place.send(Ask::Input(bytes));
                    return Ok(());
                }
                said = self.wire.said.recv() => said,
            };
            self.take(said)?;
        }
    }
}
