//! The sessions inside containers as the loop runs them: a task for each, one bounded channel from all of them, and how much of what comes
//! is taken in before the operator is heard and the screen is drawn.

use super::{Word, World};
use crate::app::{App, Event};
use crate::change::apply::{Desk, Told};
use crate::exec::Ask;
use crate::exec::attend::attend;
use crate::exec::notes::Notes;
use crate::exec::shells::{Heard, Order};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Pieces that wait for the loop, each of some KiB: what a remote has sent more than that waits at the remote, so that it hears a Ctrl-C.
const PIECES: usize = 8;

/// Time for taking in before keys are looked at again; no more than [`PIECES`] are taken in either, however little time they take.
const TAKEN: Duration = Duration::from_millis(4);

/// Shortest time between two frames of a terminal.
const FRAME: Duration = Duration::from_millis(16);

/// What ending sessions may take when the program ends. AWS ends those by itself that it was not told of, twenty minutes later.
const FAREWELL: Duration = Duration::from_millis(500);

/// All sessions.
pub(super) struct Sessions {
    asks: HashMap<u64, mpsc::UnboundedSender<Ask>>,
    tell: mpsc::Sender<(u64, Heard)>,
    /// What they say.
    pub heard: mpsc::Receiver<(u64, Heard)>,
    tasks: JoinSet<()>,
    /// A key has gone out, and what comes back is drawn at once.
    pub owed: bool,
}

impl Default for Sessions {
    fn default() -> Sessions {
        let (tell, heard) = mpsc::channel(PIECES);
        Sessions { asks: HashMap::new(), tell, heard, tasks: JoinSet::new(), owed: false }
    }
}

impl Sessions {
    /// Opens one.
    pub fn open(&mut self, desk: &Desk, order: Order, told: mpsc::UnboundedSender<Word>) {
        let (asks, asked) = mpsc::unbounded_channel();
        self.asks.insert(order.id, asks);
        // Those that are over.
        while self.tasks.try_join_next().is_some() {}
        self.asks.retain(|_, asks| !asks.is_closed());
        let record = move |made: Result<_, String>| {
            let news = made.map_or_else(Told::Said, |record| Told::Record(Box::new(record)));
            // A loop that has ended reads the journal when it starts again.
            drop(told.send(Word::Told(None, news)));
        };
        let context = desk.fleet.context(order.target.ctx).name.clone();
        let notes = Notes { places: desk.places.clone(), user: desk.user.clone(), context };
        let api = desk.clients.api(order.target.ctx).clone();
        self.tasks.spawn(attend(api, notes, order, asked, self.tell.clone(), record));
    }

    /// Tells one something; one that is over hears nothing.
    pub fn tell(&mut self, id: u64, ask: Ask) {
        let leaves = ask == Ask::Leave;
        if let Some(asks) = self.asks.get(&id) {
            // It has ended by itself.
            let _ = asks.send(ask);
        }
        if leaves {
            self.asks.remove(&id);
        }
    }

    /// Ends all of them, and waits a moment for AWS to know.
    pub async fn leave(&mut self) {
        self.asks.clear();
        self.heard.close();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Whatever is not done by then is left to ECS's idle timeout.
        let _ = tokio::time::timeout(FAREWELL, all).await;
    }
}

/// What is taken in before the operator is heard again.
struct Turn {
    pieces: usize,
    until: Instant,
}

impl Turn {
    fn begin() -> Turn {
        Turn { pieces: PIECES, until: Instant::now() + TAKEN }
    }

    /// The next piece, unless the turn is over or nothing waits.
    fn next(&mut self, heard: &mut mpsc::Receiver<(u64, Heard)>) -> Option<(u64, Heard)> {
        let first = self.pieces == PIECES;
        if self.pieces == 0 || (!first && Instant::now() >= self.until) {
            return None;
        }
        self.pieces -= 1;
        heard.try_recv().ok()
    }
}

impl World {
    /// Takes in what sessions say until a frame is due, keys first.
    pub(super) async fn flow(&mut self, app: &mut App, drawn: Instant) -> std::io::Result<()> {
        loop {
            let mut turn = Turn::begin();
            while let Some((id, heard)) = turn.next(&mut self.sessions.heard) {
                self.take(app, Event::Session(id, heard))?;
            }
            if self.drain(app)? {
                return Ok(());
            }
            let left = FRAME.saturating_sub(drawn.elapsed());
            if !app.dirty() || left.is_zero() || std::mem::take(&mut self.sessions.owed) {
                return Ok(());
            }
            let input = self.input.as_mut().expect("lent out only inside perform");
            tokio::select! {
                biased;
                terminal = input.next() => return self.pressed(terminal, app),
                () = tokio::time::sleep(left) => return Ok(()),
                Some((id, heard)) = self.sessions.heard.recv() => self.take(app, Event::Session(id, heard))?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Said;
    use crate::exec::session::TOGETHER;

    /// A remote that never stops, and an operator who presses a key before each turn.
    #[tokio::test]
    async fn a_key_waits_for_no_more_bytes_of_a_flood_than_one_turn_takes() {
        let mut sessions = Sessions::default();
        let tell = sessions.tell.clone();
        let flood = tokio::spawn(async move {
            let mut sent: usize = 0;
            while tell.send((1, Heard::Said(Said::Output(vec![b'y'; TOGETHER])))).await.is_ok() {
                sent += TOGETHER;
            }
            sent
        });
        let (mut taken, mut most) = (0, 0);
        for _ in 0..500 {
            tokio::task::yield_now().await;
            let (mut turn, mut fed) = (Turn::begin(), 0);
            while let Some((_, heard)) = turn.next(&mut sessions.heard) {
                let Heard::Said(Said::Output(bytes)) = heard else { panic!("only output is sent") };
                fed += bytes.len();
            }
            // Here keys are drained, and the first of them is answered.
            (taken, most) = (taken + fed, most.max(fed));
        }
        assert!(most <= PIECES * TOGETHER, "a key waited for {most} bytes");
        assert!(taken >= 100 * TOGETHER, "the flood did not flow: {taken} bytes");
        drop(sessions);
        let sent = flood.await.unwrap();
        assert!(sent - taken <= (PIECES + 1) * TOGETHER, "what is not taken in waits at the remote, not here: {sent} sent, {taken} taken");
    }
}
