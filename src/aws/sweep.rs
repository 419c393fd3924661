//! Complete lists: every page of a list, every row described in batches as large as AWS allows, rows that did not change
//! kept as the very same `Arc`, replies that did not change not even parsed.

use super::unchanged::Digest;
use super::{AwsError, ErrorKind};
use crate::feed::{Outcome, Value};
use crate::model::Arn;
use crate::text::clean;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Failures after which a sweep stops describing: by then it is not one reply that went wrong.
const ENOUGH: usize = 3;

/// Batches of a list that is on screen already which are asked for at a time. The answers of all of them at once would be read at once, and
/// a key would wait; of so many a budget's five calls a second get through even where an answer takes 0.8 s.
const AT_A_TIME: usize = 4;

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
    pub(super) describe: Ask<'a, Batch, Result<Described<T>, AwsError>>,
}

/// Rows to describe.
pub(super) struct Batch {
    pub(super) arns: Vec<String>,
    /// What the last reply about just these was.
    pub(super) last: Option<Digest>,
}

/// What a reply described.
pub(super) enum Described<T> {
    /// These rows; the reply can be known again by its digest, if it has one.
    Rows(Vec<T>, Option<Digest>),
    /// The same rows as the last reply.
    Same,
}

/// A reply to be known again.
#[derive(Debug)]
struct Reply<T> {
    digest: Digest,
    rows: Vec<Arc<T>>,
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
    /// The replies of the last sweep, by what was asked.
    replies: HashMap<Digest, Reply<T>>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows { known: HashMap::new(), told: false, changed: false, untold: Vec::new(), replies: HashMap::new() }
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
            _ => self.put(Arc::new(row)),
        }
    }

    fn put(&mut self, row: Arc<T>) -> (Arc<T>, bool) {
        self.known.insert(row.arn().clone(), Arc::clone(&row));
        self.changed = true;
        (row, true)
    }

    /// Takes what was described where `last` was the reply before. Returns the rows with whether each is new.
    fn take_all(&mut self, asked: Digest, last: Option<Reply<T>>, described: Described<T>) -> Vec<(Arc<T>, bool)> {
        let (taken, digest): (Vec<(Arc<T>, bool)>, _) = match described {
            Described::Rows(rows, digest) => (rows.into_iter().map(|row| self.take(row)).collect(), digest),
            Described::Same => {
                let Some(last) = last else { return Vec::new() };
                (last.rows.into_iter().map(|row| self.take_again(row)).collect(), Some(last.digest))
            }
        };
        if let Some(digest) = digest {
            let rows = taken.iter().map(|(row, _)| Arc::clone(row)).collect();
            self.replies.insert(asked, Reply { digest, rows });
        }
        taken
    }

    /// Takes a row as it was described before. Another batch may have brought another one since.
    fn take_again(&mut self, row: Arc<T>) -> (Arc<T>, bool) {
        let known = self.known.get(row.arn()).is_some_and(|known| Arc::ptr_eq(known, &row));
        if known { (row, false) } else { self.put(row) }
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

    /// What the last answer was that was complete in one reply.
    pub(super) fn last(&self) -> Option<Digest> {
        self.replies.get(&alone()).map(|reply| reply.digest)
    }

    /// Takes an answer that is complete in one reply.
    pub(super) fn replace(&mut self, described: Described<T>) -> Outcome {
        let last = self.replies.remove(&alone());
        let order: Vec<Arn> = self.take_all(alone(), last, described).into_iter().map(|(row, _)| row.arn().clone()).collect();
        self.end(&order)
    }
}

/// What is asked where one reply is all.
fn alone() -> Digest {
    Digest::of::<[String]>(&[])
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
    let mut queue: VecDeque<Vec<String>> = VecDeque::new();
    let at_a_time = if rows.told { AT_A_TIME } else { usize::MAX };
    // Batches that nobody asks for any more, because the list has shifted, are forgotten with these.
    let mut replies = std::mem::take(&mut rows.replies);
    let describe = async |asked: Digest, arns: Vec<String>, last: Option<Reply<T>>| {
        let answer = (fetch.describe)(Batch { arns, last: last.as_ref().map(|reply| reply.digest) }).await;
        (asked, last, answer)
    };
    let mut listed: HashSet<String> = HashSet::new();
    let mut order: Vec<String> = Vec::new();
    let mut described: HashSet<Arn> = HashSet::new();
    let mut failures: Vec<AwsError> = Vec::new();
    let mut pace = Pace::of(rows.told);
    loop {
        while describing.len() < at_a_time
            && let Some(arns) = queue.pop_front()
        {
            let asked = Digest::of(&arns);
            describing.push(describe(asked, arns, replies.remove(&asked)));
        }
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
                queue.extend(ask.chunks(fetch.batch).map(<[String]>::to_vec));
                listing = next(&cursor, token, fetch.lists).map(|cursor| (cursor.clone(), (fetch.list)(cursor)));
            }
            Some((asked, last, answer)) = describing.next(), if !describing.is_empty() => match answer {
                Ok(reply) => {
                    let taken = rows.take_all(asked, last, reply);
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
    use std::sync::atomic::{AtomicUsize, Ordering};

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
        let describe = move |Batch { arns, .. }| {
            asked.lock().unwrap().push(arns.clone());
            let fails = arns.iter().any(|arn| Some(&**arn) == broken);
            let rows = arns.iter().map(|arn| instance(arn, running[arn[1..].parse::<usize>().unwrap()])).collect();
            let doing = Doing { action: "ecs:DescribeContainerInstances", what: "describe", profile: None };
            let answer = if fails { Err(failure(ErrorKind::Timeout, doing, "late", "")) } else { Ok(Described::Rows(rows, None)) };
            Box::pin(async move { answer }) as Boxed<'a, Result<Described<ContainerInstance>, AwsError>>
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

    #[tokio::test]
    async fn a_reply_that_is_the_same_stands_for_its_rows_and_batches_that_shifted_are_read_anew() {
        let (mut rows, lasts) = (Rows::default(), Mutex::new(Vec::new()));
        let listed = Mutex::new(vec!["a0", "a1", "a2"]);
        let list = |_| {
            let arns = listed.lock().unwrap().iter().map(|arn| (*arn).to_owned()).collect();
            Box::pin(async move { Ok((arns, None)) }) as Boxed<'_, Page>
        };
        let describe = |Batch { arns, last }: Batch| {
            let digest = Some(Digest::of(&(&arns, "reply")));
            lasts.lock().unwrap().push(last.is_some());
            let rows = arns.iter().map(|arn| instance(arn, 1)).collect();
            let answer = if last == digest { Described::Same } else { Described::Rows(rows, digest) };
            Box::pin(async move { Ok(answer) }) as Boxed<'_, Result<Described<ContainerInstance>, AwsError>>
        };
        let fetch = Fetch { lists: 1, list: Box::new(list), batch: 2, describe: Box::new(describe) };
        let first = whole(swept(&mut rows, &fetch).await.0);
        assert!(matches!(swept(&mut rows, &fetch).await, (Ok(Outcome::Same), 0)));
        assert_eq!(*lasts.lock().unwrap(), [false, false, true, true], "the second sweep knows the replies of the first");
        listed.lock().unwrap().insert(0, "new");
        let shifted = whole(swept(&mut rows, &fetch).await.0);
        assert!(shifted.len() == 4 && Arc::ptr_eq(&shifted[1], &first[0]), "what did not change stays the same");
        assert_eq!(rows.replies.len(), 2, "replies about batches that shifted are forgotten");
        assert_eq!(lasts.lock().unwrap()[4..], [false, false]);
    }

    #[test]
    fn a_reply_that_comes_again_brings_its_rows_back_where_another_one_came_between() {
        let mut rows = Rows::default();
        let digest = Some(Digest::of("reply"));
        assert!(matches!(rows.replace(Described::Rows(vec![instance("a", 1)], digest)), Outcome::Whole(_)));
        assert_eq!(rows.last(), digest);
        assert!(matches!(rows.replace(Described::Same), Outcome::Same));
        assert_eq!(rows.last(), digest, "it is known again however often it comes");
        let _ = rows.take(instance("a", 2));
        let Outcome::Whole(Value::Instances(back)) = rows.replace(Described::Same) else { panic!("the row is another") };
        assert_eq!(back[0].running, 1);
        assert!(matches!(rows.replace(Described::Rows(Vec::new(), None)), Outcome::Whole(_)));
        assert_eq!(rows.last(), None);
    }

    #[tokio::test]
    async fn a_sweep_that_failed_is_read_anew() {
        let (mut rows, lasts) = (Rows::default(), Mutex::new(Vec::new()));
        let broken = Mutex::new(false);
        let list = |_| Box::pin(async { Ok((vec!["a0".to_owned(), "a1".to_owned()], None)) }) as Boxed<'_, Page>;
        let describe = |Batch { arns, last }: Batch| {
            lasts.lock().unwrap().push(last.is_some());
            let doing = Doing { action: "ecs:DescribeContainerInstances", what: "describe", profile: None };
            let rows = arns.iter().map(|arn| instance(arn, 1)).collect();
            let answer = match last {
                _ if *broken.lock().unwrap() => Err(failure(ErrorKind::Denied, doing, "no", "")),
                Some(_) => Ok(Described::Same),
                None => Ok(Described::Rows(rows, Some(Digest::of(&arns)))),
            };
            Box::pin(async move { answer }) as Boxed<'_, Result<Described<ContainerInstance>, AwsError>>
        };
        let fetch = Fetch { lists: 1, list: Box::new(list), batch: 2, describe: Box::new(describe) };
        assert_eq!(whole(swept(&mut rows, &fetch).await.0).len(), 2);
        *broken.lock().unwrap() = true;
        assert_eq!(swept(&mut rows, &fetch).await.0.unwrap_err().kind, ErrorKind::Denied);
        *broken.lock().unwrap() = false;
        assert!(matches!(swept(&mut rows, &fetch).await.0, Ok(Outcome::Same)));
        assert!(matches!(swept(&mut rows, &fetch).await.0, Ok(Outcome::Same)));
        assert_eq!(*lasts.lock().unwrap(), [false, true, false, true]);
    }

    #[tokio::test]
    async fn a_list_that_is_on_screen_is_described_four_batches_at_a_time() {
        let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let list = |_| Box::pin(async { Ok(((0..9).map(|n| format!("a{n}")).collect(), None)) }) as Boxed<'_, Page>;
        let describe = |batch: Batch| {
            let (under_way, most) = (&under_way, &most);
            Box::pin(async move {
                most.fetch_max(under_way.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                under_way.fetch_sub(1, Ordering::Relaxed);
                Ok(Described::Rows(batch.arns.iter().map(|arn| instance(arn, 1)).collect(), None))
            }) as Boxed<'_, Result<Described<ContainerInstance>, AwsError>>
        };
        let fetch = Fetch { lists: 1, list: Box::new(list), batch: 1, describe: Box::new(describe) };
        let mut rows = Rows::default();
        assert_eq!(whole(swept(&mut rows, &fetch).await.0).len(), 9);
        assert_eq!(most.swap(0, Ordering::Relaxed), 9, "nobody waits for the first rows longer than for their answer");
        assert!(matches!(swept(&mut rows, &fetch).await.0, Ok(Outcome::Same)));
        assert_eq!(most.load(Ordering::Relaxed), 4);
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
