//! Questions about one thing that panes ask one by one and AWS answers many at a time: whoever asks first waits a moment for company.

use super::AwsError;
use super::api::Api;
use crate::model::Arn;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

type Answer<T> = Result<T, AwsError>;

/// Who waits for what.
#[derive(Debug)]
pub(super) struct Batch<T>(Mutex<Vec<(Arn, oneshot::Sender<Answer<T>>)>>);

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Batch(Mutex::default())
    }
}

impl<T> Batch<T> {
    fn join(&self, arn: &Arn) -> (bool, oneshot::Receiver<Answer<T>>) {
        let (tell, answer) = oneshot::channel();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((arn.clone(), tell));
        (waiting.len() == 1, answer)
    }

    fn leave(&self, together: usize) -> Vec<(Arn, oneshot::Sender<Answer<T>>)> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Who gave up need not be asked for.
        waiting.retain(|(_, tell)| !tell.is_closed());
        let rest = waiting.len().saturating_sub(together);
        waiting.split_off(rest)
    }
}

/// How a batch is asked for.
pub(super) struct Asking<T> {
    /// Where those who ask meet.
    pub(super) batch: fn(&Api) -> &Batch<T>,
    /// How long the first one waits for company.
    pub(super) gather: Duration,
    /// Things in one call.
    pub(super) together: usize,
}

/// One thing, asked for together with the others that are wanted at the same moment; nothing when the answer does not name it.
/// `ask` answers for all of them, each once.
pub(super) async fn ask_together<T, F, A>(api: &Api, asking: Asking<T>, arn: &Arn, ask: F) -> Option<Answer<T>>
where
    T: Clone + Send + Sync + 'static,
    F: Fn(Api, Vec<Arn>) -> A + Send + 'static,
    A: Future<Output = Vec<(Arn, Answer<T>)>> + Send,
{
    let (first, answer) = (asking.batch)(api).join(arn);
    if first {
        // A task of its own, so that the others are answered though the first one gives up.
        let api = api.clone();
        tokio::spawn(async move {
            tokio::time::sleep(asking.gather).await;
            loop {
                let batch = (asking.batch)(&api).leave(asking.together);
                if batch.is_empty() {
                    break;
                }
                let mut arns: Vec<Arn> = batch.iter().map(|(arn, _)| arn.clone()).collect();
                arns.sort_unstable();
                arns.dedup();
                let answers = ask(api.clone(), arns).await;
                for (arn, tell) in batch {
                    if let Some((_, answer)) = answers.iter().find(|(answered, _)| *answered == arn) {
                        // The pane that asked may be gone.
                        let _ = tell.send(answer.clone());
                    }
                }
            }
        });
    }
    answer.await.ok()
}
