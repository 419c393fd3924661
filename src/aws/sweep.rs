//! Complete lists: every page of a list, every row described in batches as large as AWS allows, rows that did not change
//! kept as the very same `Arc`.

use super::{AwsError, ErrorKind};
use crate::feed::{Outcome, Value};
use crate::model::Arn;
use crate::text::clean;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Failures after which a sweep stops describing: by then it is not one reply that went wrong.
const ENOUGH: usize = 3;

/// Shortest time between two parts of a list that is read for the first time, and of one that is on screen already: whoever takes a part
/// in judges and sorts all rows anew, and a thousand services are a hundred answers.
const FIRST_PARTS: Duration = Duration::from_millis(50);
const PARTS: Duration = Duration::from_secs(1);

/// Where rows go while a sweep is under way, with the number that there will be as far as it is known.
pub type Parts<'a> = dyn FnMut(Value, usize) + Send + 'a;

/// A page of a list: ARNs, and the token of the next page.
pub(super) type Page = Result<(Vec<String>, Option<String>), AwsError>;

/// One of several lists that make up the whole, and the token of its page.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    pub(super) list: usize,
    pub(super) token: Option<String>,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A question that can be asked again and again.
type Ask<'a, Q, T> = Box<dyn Fn(Q) -> Boxed<'a, T> + Send + Sync + 'a>;

/// How rows of one kind are fetched.
pub(super) struct Fetch<'a, T> {
    /// How many lists make up the whole.
    pub(super) lists: usize,
    /// Reads a page.
    pub(super) list: Ask<'a, Cursor, Page>,
    /// Rows that one call may describe.
    pub(super) batch: usize,
    /// Describes rows. Those that have vanished since the list are simply not among the answers.
    pub(super) describe: Ask<'a, Vec<String>, Result<Vec<T>, AwsError>>,
}

/// What is known of a list from one sweep to the next.
#[derive(Debug)]
pub(super) struct Rows<T> {
    known: HashMap<Arn, Arc<T>>,
    /// Whether a whole list was ever sent.
    told: bool,
    /// Whether something is different from the last whole list that was sent.
    changed: bool,
    /// Rows that were described and have not been told; they outlive a sweep that is dropped.
    untold: Vec<Arc<T>>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows { known: HashMap::new(), told: false, changed: false, untold: Vec::new() }
    }
}

/// A row of a list.
pub(super) trait Row: PartialEq + Send + Sync {
    /// Its identity.
    fn arn(&self) -> &Arn;

    /// Whether it will never change again, so that it need not be described again.
    fn settled(&self) -> bool;

    /// Rows as a feed's value.
    fn value(rows: Vec<Arc<Self>>) -> Value;
}

impl<T: Row> Rows<T> {
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.known.values()
    }

    fn get(&self, arn: &str) -> Option<&Arc<T>> {
        // Arn has no Borrow<str>; ARNs are short and this is asked once per described row.
        self.known.get(&Arn(clean(arn)))
    }

    /// All rows that are known, in no order.
    pub(super) fn recall(&self) -> Value {
        T::value(self.known.values().cloned().collect())
    }

    /// Takes a described row: the old `Arc` when nothing changed. Returns it with whether it is new.
    fn take(&mut self, row: T) -> (Arc<T>, bool) {
        match self.known.get(row.arn()) {
            Some(known) if **known == row => (Arc::clone(known), false),
            _ => {
                let row = Arc::new(row);
                self.known.insert(row.arn().clone(), Arc::clone(&row));
                self.changed = true;
                (row, true)
            }
        }
    }

    /// Tells the rows that were held back, if there are any, of so many that there will be.
    fn tell(&mut self, parts: &mut Parts<'_>, of: usize) {
        if !self.untold.is_empty() {
            parts(T::value(std::mem::take(&mut self.untold)), of);
        }
    }

    /// Ends a complete sweep: what was not seen is gone.
    fn end(&mut self, order: &[Arn]) -> Outcome {
        self.untold.clear();
        let seen: HashSet<&Arn> = order.iter().collect();
        let before = self.known.len();
        self.known.retain(|arn, _| seen.contains(arn));
        self.changed |= self.known.len() != before;
        if self.told && !std::mem::take(&mut self.changed) {
            return Outcome::Same;
        }
        (self.told, self.changed) = (true, false);
        Outcome::Whole(T::value(order.iter().filter_map(|arn| self.known.get(arn)).cloned().collect()))
    }

    /// Takes an answer that is complete in one reply.
    pub(super) fn replace(&mut self, rows: Vec<T>) -> Outcome {
        let order: Vec<Arn> = rows.into_iter().map(|row| self.take(row).0.arn().clone()).collect();
        self.end(&order)
    }
}

/// When the next part of a list may be told.
struct Pace {
    pause: Duration,
    sent: Option<Instant>,
}

impl Pace {
    fn of(told: bool) -> Self {
        Pace { pause: if told { PARTS } else { FIRST_PARTS }, sent: None }
    }

    /// How long it has to wait.
    fn rest(&self, now: Instant) -> Duration {
        self.sent.map_or(Duration::ZERO, |sent| self.pause.saturating_sub(now.duration_since(sent)))
    }

    /// Whether it may be told now; then it is taken to have been.
    fn due(&mut self, now: Instant) -> bool {
        let due = self.sent.is_none_or(|sent| now.duration_since(sent) >= self.pause);
        if due {
            self.sent = Some(now);
        }
        due
    }
}

/// Sweeps once. Lists and descriptions run side by side; how many at a time is the budget's affair.
pub(super) async fn sweep<T: Row>(rows: &mut Rows<T>, fetch: &Fetch<'_, T>, parts: &mut Parts<'_>) -> Result<Outcome, AwsError> {
    let mut listing = Some((Cursor::default(), (fetch.list)(Cursor::default())));
    let mut describing = FuturesUnordered::new();
    let mut listed: HashSet<String> = HashSet::new();
    let mut order: Vec<String> = Vec::new();
    let mut described: HashSet<Arn> = HashSet::new();
    let mut failures: Vec<AwsError> = Vec::new();
    let mut pace = Pace::of(rows.told);
    loop {
        tokio::select! {
            page = async { (&mut listing.as_mut().expect("guarded").1).await }, if listing.is_some() => {
                let (arns, token) = match page {
                    Ok(page) => page,
                    // Without the list nothing else matters.
                    Err(error) => {
                        failures.insert(0, error);
                        break;
                    }
                };
                let (cursor, _) = listing.take().expect("it has just answered");
                let fresh: Vec<String> = arns.into_iter().filter(|arn| listed.insert(arn.clone())).collect();
                order.extend_from_slice(&fresh);
                let ask: Vec<String> = fresh.into_iter().filter(|arn| !keep_settled(rows, arn, &mut described)).collect();
                describing.extend(ask.chunks(fetch.batch).map(|chunk| (fetch.describe)(chunk.to_vec())));
                listing = next(&cursor, token, fetch.lists).map(|cursor| (cursor.clone(), (fetch.list)(cursor)));
            }
            Some(answer) = describing.next(), if !describing.is_empty() => match answer {
                Ok(batch) => {
                    let taken: Vec<(Arc<T>, bool)> = batch.into_iter().map(|row| rows.take(row)).collect();
                    described.extend(taken.iter().map(|(row, _)| row.arn().clone()));
                    rows.untold.extend(taken.into_iter().filter(|(_, new)| *new).map(|(row, _)| row));
                    if !rows.untold.is_empty() && pace.due(Instant::now()) {
                        rows.tell(parts, listed.len());
                    }
                }
                Err(error) => {
                    let pointless = matches!(error.kind, ErrorKind::Denied | ErrorKind::Expired | ErrorKind::NoCredentials | ErrorKind::NotFound);
                    failures.push(error);
                    if pointless || failures.len() >= ENOUGH {
                        break;
                    }
                }
            },
            // An answer that is late keeps nobody from those that came.
            () = tokio::time::sleep(pace.rest(Instant::now())), if !rows.untold.is_empty() && (listing.is_some() || !describing.is_empty()) => {
                if pace.due(Instant::now()) {
                    rows.tell(parts, listed.len());
                }
            }
            else => break,
        }
    }
    if let Some(error) = failures.into_iter().next() {
        rows.tell(parts, listed.len());
        return Err(error);
    }
    let order: Vec<Arn> = order.iter().map(|arn| Arn(clean(arn))).filter(|arn| described.contains(arn)).collect();
    Ok(rows.end(&order))
}

/// Counts a row that will never change as described.
fn keep_settled<T: Row>(rows: &Rows<T>, arn: &str, described: &mut HashSet<Arn>) -> bool {
    let settled = rows.get(arn).filter(|row| row.settled());
    settled.is_some_and(|row| {
        described.insert(row.arn().clone());
        true
    })
}

fn next(cursor: &Cursor, token: Option<String>, lists: usize) -> Option<Cursor> {
    match token.filter(|token| !token.is_empty()) {
        // A token that leads to itself would go on for ever.
        Some(token) if cursor.token.as_ref() != Some(&token) => Some(Cursor { list: cursor.list, token: Some(token) }),
        _ => (cursor.list + 1 < lists).then(|| Cursor { list: cursor.list + 1, token: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::failure::{Doing, failure};
    use crate::model::ContainerInstance;
    use std::sync::Mutex;

    fn instance(arn: &str, running: u32) -> ContainerInstance {
        ContainerInstance { arn: arn.into(), status: "ACTIVE".into(), agent_connected: true, running, ..ContainerInstance::default() }
    }

    /// A cluster of instances `a0`, `a1`, …, listed three to a page; `broken` fails to be described.
    fn fetch<'a>(running: &'a [u32], broken: Option<&'a str>, asked: &'a Mutex<Vec<Vec<String>>>) -> Fetch<'a, ContainerInstance> {
        let list = move |cursor: Cursor| {
            let from: usize = cursor.token.as_deref().unwrap_or("0").parse().unwrap();
            let page = (from..running.len().min(from + 3)).map(|n| format!("a{n}")).collect();
            let token = (from + 3 < running.len()).then(|| (from + 3).to_string());
            Box::pin(async move { Ok((page, token)) }) as Boxed<'a, Page>
        };
        let describe = move |arns: Vec<String>| {
            asked.lock().unwrap().push(arns.clone());
            let fails = arns.iter().any(|arn| Some(&**arn) == broken);
            let rows = arns.iter().map(|arn| instance(arn, running[arn[1..].parse::<usize>().unwrap()])).collect();
            let doing = Doing { action: "ecs:DescribeContainerInstances", what: "describe", profile: None };
            let answer = if fails { Err(failure(ErrorKind::Timeout, doing, "late", "")) } else { Ok(rows) };
            Box::pin(async move { answer }) as Boxed<'a, Result<Vec<ContainerInstance>, AwsError>>
        };
        Fetch { lists: 1, list: Box::new(list), batch: 2, describe: Box::new(describe) }
    }

    async fn swept(rows: &mut Rows<ContainerInstance>, fetch: &Fetch<'_, ContainerInstance>) -> (Result<Outcome, AwsError>, usize) {
        let mut parts = 0;
        let outcome = sweep(rows, fetch, &mut |value, _| {
            let Value::Instances(rows) = value else { panic!("instances only") };
            parts += rows.len();
        })
        .await;
        (outcome, parts)
    }

    fn whole(outcome: Result<Outcome, AwsError>) -> Vec<Arc<ContainerInstance>> {
        match outcome {
            Ok(Outcome::Whole(Value::Instances(rows))) => rows,
            other => panic!("{other:?} is not a whole list"),
        }
    }

    #[tokio::test]
    async fn every_page_is_read_and_every_row_described_in_batches() {
        let (mut rows, asked) = (Rows::default(), Mutex::default());
        let (outcome, parts) = swept(&mut rows, &fetch(&[1; 7], None, &asked)).await;
        let order: Vec<String> = whole(outcome).iter().map(|row| row.arn.to_string()).collect();
        assert_eq!(order, ["a0", "a1", "a2", "a3", "a4", "a5", "a6"]);
        assert!(parts > 0, "the first rows come before the last ones are known");
        assert!(asked.lock().unwrap().iter().all(|batch| batch.len() <= 2));
    }

    #[tokio::test]
    async fn rows_that_did_not_change_stay_the_same_and_an_unchanged_list_says_so() {
        let (mut rows, asked) = (Rows::default(), Mutex::default());
        let first = whole(swept(&mut rows, &fetch(&[1, 1, 1], None, &asked)).await.0);
        let (again, parts) = swept(&mut rows, &fetch(&[1, 1, 1], None, &asked)).await;
        assert!(matches!(again, Ok(Outcome::Same)) && parts == 0);
        let (moved, parts) = swept(&mut rows, &fetch(&[1, 5, 1], None, &asked)).await;
        let moved = whole(moved);
        assert_eq!((parts, moved[1].running), (1, 5));
        assert!(Arc::ptr_eq(&first[0], &moved[0]) && Arc::ptr_eq(&first[2], &moved[2]));
        assert_eq!(whole(swept(&mut rows, &fetch(&[1, 5], None, &asked)).await.0).len(), 2, "a row that vanished makes a new list");
    }

    #[test]
    fn parts_of_a_list_that_is_on_screen_come_once_a_second() {
        let begin = Instant::now();
        let sent = |mut pace: Pace| (0..100).filter(|n| pace.due(begin + Duration::from_millis(n * 30))).collect::<Vec<_>>();
        assert_eq!(sent(Pace::of(true)), [0, 34, 68], "a second apart, the first at once");
        assert_eq!(sent(Pace::of(false)).len(), 50, "every other of what comes 30 ms apart");
    }

    #[tokio::test]
    async fn one_batch_that_fails_does_not_hide_the_others() {
        let (mut rows, asked) = (Rows::default(), Mutex::default());
        let (outcome, parts) = swept(&mut rows, &fetch(&[1; 6], Some("a3"), &asked)).await;
        assert_eq!(outcome.unwrap_err().kind, ErrorKind::Timeout);
        assert!(parts >= 4, "{parts}");
        let (mended, parts) = swept(&mut rows, &fetch(&[1; 6], None, &asked)).await;
        assert_eq!(whole(mended).len(), 6);
        assert!(parts <= 2, "what came before is known");
    }

    #[test]
    fn a_token_that_leads_to_itself_ends_the_list() {
        let at = |list, token: &str| Cursor { list, token: Some(token.to_owned()) };
        assert!(next(&at(0, "x"), Some("x".to_owned()), 1).is_none());
        assert_eq!(next(&at(0, "x"), Some("y".to_owned()), 1).unwrap().token.as_deref(), Some("y"));
        assert_eq!(next(&at(0, "x"), None, 2).map(|cursor| cursor.list), Some(1));
    }
}
