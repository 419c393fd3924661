//! The port forwards as the loop runs them: a task for each, and one bounded channel from all of them.

use super::Word;
use crate::change::apply::{Desk, Told};
use crate::exec::forward::attend;
use crate::exec::forwards::{Heard, Order};
use crate::exec::notes::Notes;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// What may be told before forwards leave figures out.
const TOLD: usize = 64;

/// What ending them may take when the program ends. AWS ends those by itself that it was not told of, twenty minutes later.
const FAREWELL: Duration = Duration::from_millis(500);

/// All forwards.
pub(super) struct Forwards {
    leave: HashMap<u64, oneshot::Sender<()>>,
    tell: mpsc::Sender<(u64, Heard)>,
    /// What is told of them.
    pub heard: mpsc::Receiver<(u64, Heard)>,
    tasks: JoinSet<()>,
}

impl Default for Forwards {
    fn default() -> Forwards {
        let (tell, heard) = mpsc::channel(TOLD);
        Forwards { leave: HashMap::new(), tell, heard, tasks: JoinSet::new() }
    }
}

impl Forwards {
    /// Opens one.
    pub fn open(&mut self, desk: &Desk, order: Order, told: mpsc::UnboundedSender<Word>) {
        let (leave, left) = oneshot::channel();
        self.leave.retain(|_, leave| !leave.is_closed());
        self.leave.insert(order.id, leave);
        // Those that are over.
        while self.tasks.try_join_next().is_some() {}
        let ctx = order.target.ctx;
        let notes = Notes { places: desk.places.clone(), user: desk.user.clone(), context: desk.fleet.context(ctx).name.clone() };
        let noted = move |record| drop(told.send(Word::Told(None, Told::Record(Box::new(record)))));
        self.tasks.spawn(attend(desk.clients.api(ctx).clone(), order, left, self.tell.clone(), notes, noted));
    }

    /// Ends one.
    pub fn end(&mut self, id: u64) {
        self.leave.remove(&id);
    }

    /// Ends all of them, and waits a moment for AWS to know.
    pub async fn leave(&mut self) {
        self.leave.clear();
        self.heard.close();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Whatever is not done by then is left to the idle timeout.
        let _ = tokio::time::timeout(FAREWELL, all).await;
    }
}
