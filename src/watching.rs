//! `midwatch watch`: follows one release to its end without a screen, a line for each change, and an exit code that tells the truth.
//!
//! What a release is and what is new of it is [`crate::landing`]'s; here are the questions to AWS, the lines, and the clock.

use crate::aws::{Clients, ErrorKind};
use crate::duration;
use crate::feed::{Feed, Outcome, Update, Wanted};
use crate::landing::{End, Followed, Kind, Landing, News, Side, Track, Whole};
use crate::model::{Arn, Ctx, Time};
use crate::store::Store;
use crate::verdict::Health;
use crate::watch::Watcher;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Updates that may queue up.
const QUEUE: usize = 64;

/// How often the time alone is looked at: a release gets stuck without a word.
const LOOK: Duration = Duration::from_secs(1);

/// The context that is asked.
const CTX: Ctx = Ctx(0);

/// What to watch, and how to tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// A service's name or ARN.
    pub service: String,
    /// A cluster's name or ARN; all are searched for the service without it.
    pub cluster: Option<String>,
    /// A deployment of `CodeDeploy` by its id, instead of the newest one that the service shows.
    pub deployment: Option<String>,
    /// When to give up.
    pub timeout: Option<Duration>,
    /// JSON lines instead of text.
    pub json: bool,
}

/// How it went; the number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    /// The release is out.
    Released = 0,
    /// It failed, was rolled back, or a newer one took its place.
    NotReleased = 1,
    /// Nobody knows yet.
    TimedOut = 3,
}

/// Watches until the end. Lines go to `say`, complaints that may pass to `complain`.
///
/// # Errors
/// One line about what the user must mend: no such service or cluster, or rights and credentials that are missing.
pub async fn watch(clients: &Clients, asked: &Asked, say: &mut dyn FnMut(&str), complain: &mut dyn FnMut(&str)) -> Result<Went, String> {
    let (tx, mut updates) = mpsc::channel::<Update>(QUEUE);
    let region = clients.api(CTX).region().to_string();
    let mut desk = Desk {
        asked,
        region,
        store: Store::default(),
        sought: Sought::of(asked),
        track: None,
        gone: false,
        complained: Vec::new(),
        held: Vec::new(),
    };
    let mut watcher = Watcher::new(clients.clone(), tx);
    let deadline = asked.timeout.map(|timeout| Instant::now() + timeout);
    let mut look = tokio::time::interval(LOOK);
    // Ages are differences of two times of one clock, and AWS's is the one that dates.
    let by_aws = |local: Time| local.checked_add(jiff::SignedDuration::from_millis(clients.clock_skew_ms())).unwrap_or(Time::MAX);
    loop {
        watcher.reconcile(&desk.wanted());
        let over = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = over => {
                say(&desk.timed_out(by_aws(Time::now())));
                return Ok(Went::TimedOut);
            }
            Some(update) = updates.recv() => {
                desk.hear(Update { at: by_aws(update.at), ..update })?;
            }
            _ = look.tick() => {}
        }
        if updates.is_empty() {
            desk.complaints().iter().for_each(|complaint| complain(complaint));
            for line in desk.look(by_aws(Time::now()))? {
                say(&line);
            }
            if let Some(went) = desk.went() {
                return Ok(went);
            }
        }
    }
}

/// Where the service is, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sought {
    /// Its ARN says it all.
    Found(Arn),
    /// Name and cluster: the account is all that is missing.
    Named(String, String),
    /// A name in some cluster.
    Anywhere(String),
}

impl Sought {
    fn of(asked: &Asked) -> Sought {
        let arn = Arn::from(&*asked.service);
        let name = asked.service.rsplit('/').next().unwrap_or(&asked.service).to_owned();
        match (&asked.cluster, arn.cluster_name()) {
            (_, Some(_)) => Sought::Found(arn),
            (Some(cluster), None) => Sought::Named(name, cluster.clone()),
            (None, None) => Sought::Anywhere(name),
        }
    }
}

/// Everything but the waiting.
struct Desk<'a> {
    asked: &'a Asked,
    region: String,
    store: Store,
    sought: Sought,
    track: Option<Track>,
    /// Whether the service was deleted meanwhile.
    gone: bool,
    complained: Vec<Feed>,
    /// Complaints about parts of a service that may not exist: they wait until it does.
    held: Vec<String>,
}

impl Desk<'_> {
    /// What is to be asked now; what lasts is asked once.
    fn wanted(&self) -> Vec<Wanted> {
        let poll = |feed| Wanted::Poll { feed, focus: true };
        let mut wanted = Vec::new();
        match (&self.track, &self.sought) {
            (Some(track), _) => want(track, &self.store, &mut wanted),
            (None, Sought::Named(..)) => wanted.push(poll(Feed::Identity(CTX))),
            (None, Sought::Anywhere(_)) => {
                wanted.push(poll(Feed::Clusters(CTX)));
                let clusters = self.store.clusters(CTX).unwrap_or_default();
                wanted.extend(clusters.iter().map(|cluster| poll(Feed::Services(CTX, cluster.arn.clone()))));
            }
            (None, Sought::Found(_)) => {}
        }
        wanted.retain(|want| !want.feed().lasts() || self.store.slot(want.feed()).is_none_or(|slot| slot.value.is_none()));
        wanted
    }

    /// Takes an answer in. What may pass is a complaint, once for each feed until it works again; what will not is an error.
    fn hear(&mut self, update: Update) -> Result<(), String> {
        let feed = update.feed.clone();
        let failed = if let Outcome::Failed(error) = &update.outcome { Some(error.clone()) } else { None };
        let answered = matches!(update.outcome, Outcome::Whole(_) | Outcome::Same);
        self.store.apply(update);
        if answered {
            self.complained.retain(|other| *other != feed);
        }
        let Some(error) = failed else { return Ok(()) };
        let words = if error.hint.is_empty() { error.what.to_string() } else { format!("{}. {}", error.what, error.hint) };
        let lasting = matches!(
            error.kind,
            ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Invalid | ErrorKind::NoCredentials | ErrorKind::Expired
        );
        let needed = matches!(feed, Feed::Service(..) | Feed::Identity(_) | Feed::Clusters(_) | Feed::Services(..));
        let known = self.track.as_ref().is_some_and(|track| track.landing().is_some());
        if lasting && needed && !known {
            return Err(words);
        }
        if !self.complained.contains(&feed) {
            self.complained.push(feed);
            self.held.push(format!("{words} (going on without it, and asking again)"));
        }
        Ok(())
    }

    /// The complaints that can be made now. Of a service that AWS does not know, nothing else can be read either: that is one complaint, not five.
    fn complaints(&mut self) -> Vec<String> {
        let unknown = |track: &Track| {
            let unheard = self.store.slot(&Feed::Service(CTX, track.whole.service.clone())).is_none_or(|slot| slot.error.is_none());
            unheard && self.store.service(CTX, &track.whole.cluster, &track.whole.service).is_none()
        };
        if self.track.as_ref().is_some_and(unknown) { Vec::new() } else { std::mem::take(&mut self.held) }
    }

    /// Looks at what is known now; the lines to say.
    fn look(&mut self, now: Time) -> Result<Vec<String>, String> {
        if self.track.is_none() {
            let Some(service) = self.find()? else { return Ok(Vec::new()) };
            let cluster =
                cluster_of(&service).ok_or_else(|| format!("{service} has the old format, without the cluster: give --cluster"))?;
            let whole = Whole { ctx: CTX, cluster, service };
            self.track = Some(Track::only(whole, self.asked.deployment.as_deref()));
        }
        let Some(track) = &self.track else { return Ok(Vec::new()) };
        if track.whole.gone(&self.store) {
            return match track.landing() {
                None => Err(format!("{} has no service {}", track.whole.cluster.name(), track.whole.service.name())),
                Some(landing) => {
                    let text = format!("{} is gone: AWS knows no such service any more", track.whole.service.name());
                    let news = News { at: now, kind: Kind::End, health: Health::Fail, text };
                    self.gone = true;
                    Ok(vec![self.line(&news, Some(landing), now)])
                }
            };
        }
        if !heard_enough(track, &self.store) {
            return Ok(Vec::new());
        }
        let Some(track) = &mut self.track else { return Ok(Vec::new()) };
        let news = track.see(&self.store, now);
        let Some(track) = &self.track else { return Ok(Vec::new()) };
        let landing = track.landing();
        if landing.is_none() && self.store.service(CTX, &track.whole.cluster, &track.whole.service).is_some() {
            return Err(format!("{} has no deployment that AWS tells of", track.whole.service.name()));
        }
        Ok(news.iter().map(|news| self.line(news, landing, now)).collect())
    }

    /// The service's ARN, once it is known.
    fn find(&self) -> Result<Option<Arn>, String> {
        match &self.sought {
            Sought::Found(arn) => Ok(Some(arn.clone())),
            Sought::Named(name, cluster) => {
                let Some(identity) = self.store.identity(CTX) else { return Ok(None) };
                if let Some(rest) = cluster.split_once(":cluster/") {
                    return Ok(Some(Arn(format!("{}:service/{}/{name}", rest.0, rest.1).into())));
                }
                let partition = identity.arn.split(':').nth(1).unwrap_or("aws");
                let region = &self.region;
                Ok(Some(Arn(format!("arn:{partition}:ecs:{region}:{}:service/{cluster}/{name}", identity.account).into())))
            }
            Sought::Anywhere(name) => self.find_anywhere(name),
        }
    }

    fn find_anywhere(&self, name: &str) -> Result<Option<Arn>, String> {
        let Some(clusters) = self.store.clusters(CTX) else { return Ok(None) };
        let lists: Vec<_> = clusters.iter().map(|cluster| self.store.slot(&Feed::Services(CTX, cluster.arn.clone()))).collect();
        // One cluster that has not answered may hold another service of that name.
        if lists.iter().any(|slot| slot.is_none_or(|slot| slot.expected.is_some() || slot.value.is_none() && slot.error.is_none())) {
            return Ok(None);
        }
        let services = clusters.iter().filter_map(|cluster| self.store.services(CTX, &cluster.arn)).flatten();
        let found: Vec<&Arn> = services.filter(|service| *service.name == *name).map(|service| &service.arn).collect();
        match found.as_slice() {
            [one] => Ok(Some((*one).clone())),
            [] => Err(format!("none of {} clusters has a service {name}", clusters.len())),
            several => {
                let names: Vec<&str> = several.iter().filter_map(|arn| arn.cluster_name()).collect();
                Err(format!("several clusters have a service {name}: choose one of {} with --cluster", names.join(", ")))
            }
        }
    }

    fn line(&self, news: &News, landing: Option<&Landing>, now: Time) -> String {
        if self.asked.json {
            return self.json(news.at, news.kind.word(), &news.text, landing);
        }
        let left = landing.filter(|_| matches!(news.kind, Kind::Progress | Kind::Stage)).and_then(|landing| landing.pace.left);
        let eta = left.map_or(String::new(), |left| format!(" · ETA about {}", duration::short(left)));
        format!("{} {} {}{eta}", stamp(news.at, now), news.health.glyph(), news.text)
    }

    fn timed_out(&self, now: Time) -> String {
        let landing = self.track.as_ref().and_then(Track::landing);
        let stands = landing
            .map_or_else(|| "AWS has not told of it yet".to_owned(), |landing| format!("{} · {}", landing.status, landing.progress()));
        let text = format!("timed out: {stands}");
        if self.asked.json { self.json(now, "timeout", &text, landing) } else { format!("{} ? {text}", now.strftime("%H:%M:%SZ")) }
    }

    fn json(&self, at: Time, kind: &str, text: &str, landing: Option<&Landing>) -> String {
        let mut line = json!({ "at": at.to_string(), "kind": kind, "text": text, "service": self.track.as_ref().map(|track| track.whole.service.as_str()) });
        let Some(landing) = landing else { return line.to_string() };
        let more = json!({
            "deployment": landing.id(),
            "status": &*landing.status,
            "stage": landing.stage.name.as_deref(),
            "elapsed_seconds": landing.pace.elapsed,
            "eta_seconds": landing.pace.left,
            "stuck_seconds": landing.pace.stuck(),
            "failures": landing.failures.map(|(count, threshold)| json!({ "count": count, "threshold": threshold })),
            "new": side(&landing.new),
            "old": side(&landing.old),
            "end": landing.end().filter(|_| kind == Kind::End.word()).map(|end| json!({ "result": end.word().replace(' ', "_"), "reason": end.reason() })),
        });
        if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
            line.extend(more);
        }
        line.to_string()
    }

    /// How it went, once it has.
    fn went(&self) -> Option<Went> {
        if self.gone {
            return Some(Went::NotReleased);
        }
        let end = self.track.as_ref()?.landing()?.end()?;
        Some(if *end == End::Released { Went::Released } else { Went::NotReleased })
    }
}

/// The time of day, with its date where that is not today's.
fn stamp(at: Time, now: Time) -> String {
    let day = |at: Time| at.strftime("%Y-%m-%d").to_string();
    let date = if day(at) == day(now) { String::new() } else { day(at) + " " };
    format!("{date}{}", at.strftime("%H:%M:%SZ"))
}

fn side(side: &Side) -> Value {
    json!({
        "task_definition": side.revision.as_ref().map(Arn::as_str),
        "desired": side.wanted,
        "running": side.running,
        "healthy": side.healthy,
        "unhealthy": side.unhealthy,
        "starting": side.starting,
        "leaving": side.leaving,
        "failed": side.failed,
        "traffic_percent": side.weight,
    })
}

/// The cluster's ARN out of a service's.
fn cluster_of(service: &Arn) -> Option<Arn> {
    let (head, _) = service.as_str().split_once(":service/")?;
    Some(Arn(format!("{head}:cluster/{}", service.cluster_name()?).into()))
}

/// What tells of the release, its revisions included before the first look.
fn want(track: &Track, store: &Store, out: &mut Vec<Wanted>) {
    let newest = || track.whole.look(store, Time::UNIX_EPOCH, Followed::newest).flatten();
    let followed = track.followed().cloned().or_else(newest);
    track.whole.want(store, followed.as_ref(), true, out);
}

/// Whether everything that decides has been answered, or refused: an end must not be told because a list came late, and the first line
/// is to have its estimate.
fn heard_enough(track: &Track, store: &Store) -> bool {
    let mut wanted = Vec::new();
    want(track, store, &mut wanted);
    let decides = |feed: &Feed| {
        matches!(
            feed,
            Feed::Service(..)
                | Feed::ServiceDeployments(..)
                | Feed::CodeDeployment(..)
                | Feed::CodeDeployments(..)
                | Feed::Tasks(..)
                | Feed::ServiceRevision(..)
        )
    };
    let open = |feed: &Feed| store.slot(feed).is_none_or(|slot| slot.expected.is_some() || slot.value.is_none() && slot.error.is_none());
    !wanted.iter().map(Wanted::feed).any(|feed| decides(feed) && open(feed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_another_day_has_its_date() {
        let time = |text: &str| text.parse::<Time>().expect("a time");
        let now = time("2026-11-21T03:11:00Z");
        assert_eq!(stamp(time("2026-11-21T00:00:00Z"), now), "00:00:00Z");
        assert_eq!(stamp(time("2026-11-20T23:59:59Z"), now), "2026-11-20 23:59:59Z");
    }
}
