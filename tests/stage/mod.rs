//! The whole program but its terminal: the embedded AWS at a standstill, the real SDK, the watcher and the app. Time moves by
//! `step` alone and nothing here sleeps: whoever waits, waits for an update of a poll.
#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[allow(unused_imports, unused_macros, reason = "each test file takes what it needs")]
pub mod shots;

use midwatch::app::{App, Effect, Event, Shared};
use midwatch::aws::{self, Clients, ContextSpec};
use midwatch::change::apply::{Desk, Progress, Told};
use midwatch::change::gate::{Rules, Why};
use midwatch::change::journal::Record;
use midwatch::config::{Config, Places};
use midwatch::feed::{Feed, Outcome, Update, Value, Wanted};
use midwatch::keys::Key;
use midwatch::model::{Arn, Context, Ctx, Fleet, Time};
use midwatch::panes;
use midwatch::sim::{Options, Sim};
use midwatch::theme::Theme;
use midwatch::view::Place;
use midwatch::watch::Watcher;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use unicode_width::UnicodeWidthStr;

/// Long enough for anything that happens at all, even where the machine is busy; nobody waits for it when it happens.
const PATIENCE: Duration = Duration::from_mins(5);

/// How a feed stands, as its updates told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// A request that somebody waits for is under way.
    pub busy: bool,
    /// Requests that began while somebody waited for them.
    pub asked: u32,
    /// Whole answers.
    pub answered: u32,
    /// Polls that brought nothing.
    pub failed: u32,
}

/// What an order tells, with its number.
type News = (u64, Told);

/// What is on stage.
pub struct Stage {
    /// The world behind it.
    pub sim: Sim,
    /// The program.
    pub app: App,
    /// What the program wants done to the world, since the last [`Stage::take_effects`].
    pub effects: Vec<Effect>,
    standings: HashMap<Feed, Standing>,
    /// Feeds that could wait and were asked at once, for nobody here waits for the time to pass.
    hurried: HashSet<Feed>,
    /// The local time of every step, and AWS's time from then on.
    steps: Vec<(Time, Time)>,
    updates: mpsc::Receiver<Update>,
    watcher: Watcher,
    /// What orders tell.
    told: (mpsc::UnboundedSender<News>, mpsc::UnboundedReceiver<News>),
    /// How the orders went, oldest first.
    pub progress: Vec<(u64, Progress)>,
    /// The gate is shut as soon as an order reads again what it rests on: after all that the screen and the order look at themselves.
    pub lock_while_reading: bool,
    /// What the orders left in the journal.
    pub records: Vec<Record>,
    /// Where orders are carried out; without a journal on the disk.
    pub desk: Desk,
    clients: Clients,
    /// The rules of the gate that the program knows.
    gate: u64,
    /// The last frame, as the terminal keeps it.
    frame: Buffer,
    /// The rows that the last frame touched, if not all of them.
    pub touched: Option<Vec<u16>>,
    /// Whether the last frame was a step that was not held against a whole one.
    unseen: bool,
    // Last, so that it ends after the polls that run on it.
    runtime: Runtime,
}

/// Starts the embedded AWS with its clock at 2026-11-21 03:11:00 UTC, where it stays.
pub fn sim(scenario: &str) -> Sim {
    Sim::start(Options { scenario: scenario.to_owned(), speed: 0.0, ..Options::default() }).unwrap()
}

/// Writes a scenario to a file of its own, for [`sim`].
pub fn scenario(text: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}-{}.toml", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn specs(sim: &Sim) -> Vec<ContextSpec> {
    let spec = |info: &midwatch::sim::ContextInfo| ContextSpec {
        name: info.name.clone(),
        region: Some(info.region.clone()),
        endpoint_url: Some(sim.endpoint()),
        keys: Some((info.access_key.clone(), info.secret_key.clone())),
        session_token: info.session_token.clone(),
        clusters: info.clusters.clone(),
        ..ContextSpec::default()
    };
    sim.contexts().iter().map(spec).collect()
}

fn fleet(clients: &Clients) -> Fleet {
    let context = |(name, region): (midwatch::model::Str, midwatch::model::Str)| Context { production: None, profile: None, name, region };
    Fleet(clients.contexts().map(context).collect())
}

fn time(sim: &Sim) -> Time {
    Time::from_millisecond(sim.now()).unwrap()
}

impl Stage {
    /// The small scenario on the fleet's screen, with nothing asked yet.
    pub fn small() -> Stage {
        Stage::open(sim("small"))
    }

    /// A world on the fleet's screen, with nothing asked yet.
    pub fn open(sim: Sim) -> Stage {
        let all = specs(&sim);
        Stage::start(sim, all, "fleet", &Place::default(), Config::default())
    }

    /// The same with one of its contexts alone, as with `--profile`.
    pub fn only(sim: Sim, context: &str) -> Stage {
        Stage::configured(sim, context, Config::default())
    }

    /// One context on the services of a cluster, as with `--profile` and `--cluster`.
    pub fn cluster(sim: Sim, context: &str, cluster: &str) -> Stage {
        let one: Vec<ContextSpec> = specs(&sim).into_iter().filter(|spec| spec.name == context).collect();
        let place = Place { ctx: Some(Ctx(0)), cluster: Some(Arn::from(cluster)), ..Place::default() };
        Stage::start(sim, one, "services", &place, Config::default())
    }

    /// The same as [`Stage::only`], as somebody has configured it.
    pub fn configured(sim: Sim, context: &str, config: Config) -> Stage {
        let one: Vec<ContextSpec> = specs(&sim).into_iter().filter(|spec| spec.name == context).collect();
        assert_eq!(one.len(), 1, "no context is called {context}");
        Stage::start(sim, one, "fleet", &Place::default(), config)
    }

    fn start(sim: Sim, specs: Vec<ContextSpec>, pane: &str, place: &Place, config: Config) -> Stage {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let clients = runtime.block_on(aws::connect(specs)).unwrap();
        let (tx, updates) = mpsc::channel(64);
        let mut watcher = Watcher::new(clients.clone(), tx);
        // Polls that nobody asked for would come in between; failures are retried at their own pace.
        watcher.set_refresh(100.0);
        let fleet = fleet(&clients);
        clients.gate().set(Rules::new(&config, &fleet, &[]));
        let desk = Desk {
            clients: clients.clone(),
            places: Places::default(),
            user: "tester".into(),
            fleet: fleet.clone(),
            cli: midwatch::change::cli_lines::lines,
        };
        let shared = Shared::new(fleet, config, Theme::built_in("midwatch-dark"), time(&sim));
        let themes = ["midwatch-dark", "midwatch-light", "mono"].map(str::to_owned).to_vec();
        let mut app = App::open(shared, panes::named(pane).unwrap(), place, themes).unwrap();
        app.offer_drills(sim.drills());
        let steps = vec![(Time::now(), time(&sim))];
        let mut stage = Stage {
            sim,
            app,
            effects: Vec::new(),
            standings: HashMap::new(),
            hurried: HashSet::new(),
            steps,
            updates,
            watcher,
            told: mpsc::unbounded_channel(),
            progress: Vec::new(),
            lock_while_reading: false,
            records: Vec::new(),
            desk,
            clients,
            gate: 0,
            frame: Buffer::default(),
            touched: None,
            unseen: false,
            runtime,
        };
        stage.look_at_the_gate();
        stage
    }

    /// AWS's time.
    pub fn now(&self) -> Time {
        time(&self.sim)
    }

    /// How a feed stands.
    pub fn standing(&self, feed: &Feed) -> Standing {
        self.standings.get(feed).copied().unwrap_or_default()
    }

    /// How the feeds of a context stand.
    pub fn standings(&self, ctx: Ctx) -> Vec<(&Feed, Standing)> {
        self.standings.iter().filter(|(feed, _)| feed.ctx() == ctx).map(|(feed, standing)| (feed, *standing)).collect()
    }

    /// Sets fault rules; an empty text ends all faults.
    pub fn fault(&self, toml: &str) {
        self.sim.set_faults(toml).unwrap();
    }

    /// Moves AWS's time on. What the program knows stays as it is until it asks again.
    pub fn step(&mut self, seconds: u64) {
        self.sim.step(Duration::from_secs(seconds));
        self.steps.push((Time::now(), time(&self.sim)));
        let effects = self.app.update(Event::Tick, time(&self.sim));
        self.heed(effects);
    }

    /// Hears the next update and hands it to the app.
    fn hear(&mut self, deadline: Instant, what: &str) {
        let _inside = self.runtime.enter();
        self.watcher.reconcile(self.app.wanted());
        let left = deadline.saturating_duration_since(Instant::now());
        let heard = self.runtime.block_on(async {
            let both = async {
                tokio::select! {
                    told = self.told.1.recv() => Err(told.expect("the stage keeps a sender")),
                    update = self.updates.recv() => Ok(update.expect("the watcher keeps a sender")),
                }
            };
            tokio::time::timeout(left, both).await
        });
        let Ok(heard) = heard else {
            let screen = self.screen(120, 35);
            panic!("waited in vain until {what}\n{screen}\n{:#?}\n{:#?}", self.standings, self.progress);
        };
        match heard {
            Ok(update) => self.take(update),
            Err((id, told)) => self.tell(id, told),
        }
        self.look_at_the_gate();
    }

    /// Hands on what an order tells, as the loop does.
    fn tell(&mut self, id: u64, told: Told) {
        let now = self.now();
        match told {
            Told::Progress(progress) => {
                self.progress.push((id, progress.clone()));
                self.app.update(Event::Progress(id, progress), now);
            }
            Told::Record(record) => {
                self.records.push((*record).clone());
                self.app.update(Event::Journal(vec![*record]), now);
            }
            Told::Said(text) => {
                let notice = midwatch::view::Notice { tone: midwatch::view::Tone::Warn, text };
                self.app.update(Event::Said(notice), now);
            }
            Told::Service(ctx, service) => {
                let (feed, value) = (Feed::Service(ctx, service.arn.clone()), Value::Services(vec![std::sync::Arc::new(*service)]));
                self.app.update(Event::Update(Box::new(Update { feed, epoch: 0, at: now, outcome: Outcome::Whole(value) })), now);
            }
            Told::Poke(feeds) => self.watcher.poke(&feeds),
        }
        self.app.settle();
    }

    /// The gate that writes pass.
    pub fn gate(&self) -> &midwatch::change::gate::Gate {
        self.clients.gate()
    }

    fn look_at_the_gate(&mut self) {
        let (rules, version) = self.clients.gate().rules();
        if self.gate != version {
            self.gate = version;
            let now = self.now();
            self.app.update(Event::Gate(Box::new(rules)), now);
        }
    }

    fn take(&mut self, mut update: Update) {
        update.at = self.by_aws(update.at);
        let standing = self.standings.entry(update.feed.clone()).or_default();
        match &update.outcome {
            Outcome::Busy => {
                standing.busy = true;
                standing.asked += 1;
            }
            // A tail that has nothing new may still be reading.
            Outcome::Same if matches!(update.feed, Feed::Logs(..)) => standing.answered += 1,
            Outcome::Whole(_) | Outcome::Recalled(_) | Outcome::Same => {
                standing.busy = false;
                standing.answered += 1;
            }
            Outcome::Lines(_, state) => {
                standing.busy = !state.caught_up;
                standing.answered += 1;
            }
            Outcome::Failed(_) => {
                standing.busy = false;
                standing.failed += 1;
            }
            Outcome::Part(..) | Outcome::Learnt(_) => {}
        }
        let now = time(&self.sim);
        let effects = self.app.update(Event::Update(Box::new(update)), now);
        self.heed(effects);
        self.app.settle();
    }

    /// Keeps what the terminal is to do without a key.
    fn heed(&mut self, effects: Vec<Effect>) {
        self.effects.extend(effects.into_iter().filter(|effect| matches!(effect, Effect::Ring { .. } | Effect::Title(_))));
    }

    /// The polls date their answers by the local clock, the app lives in AWS's time, which stands still between two steps: but for
    /// a thousandth of what passes, so that what comes later is later.
    fn by_aws(&self, local: Time) -> Time {
        let (began, time) = self.steps.iter().rfind(|(began, _)| *began <= local).unwrap_or(&self.steps[0]);
        let passed = local.as_nanosecond().saturating_sub(began.as_nanosecond()).max(0) / 1000;
        *time + jiff::SignedDuration::from_nanos(i64::try_from(passed).unwrap())
    }

    /// Takes updates in until something holds.
    pub fn until(&mut self, what: &str, holds: impl Fn(&mut Stage) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            self.hear(deadline, what);
        }
    }

    /// Takes updates in until every feed that is wanted has an answer or an error, those included that the answers make wanted.
    pub fn settle(&mut self) {
        self.settle_but(|_| false);
    }

    /// The same, but for feeds that hang: those have been asked.
    pub fn settle_but(&mut self, hangs: impl Fn(&Feed) -> bool) {
        self.hurry();
        self.until("every feed has an answer or an error", |stage| {
            stage.hurry();
            let open = |feed: &Feed| {
                let standing = stage.standing(feed);
                if hangs(feed) { standing.asked == 0 } else { standing.busy || standing.answered + standing.failed == 0 }
            };
            !stage.app.wanted().iter().any(|wanted| open(wanted.feed()))
        });
    }

    /// Takes updates in until every feed that cannot wait has an answer or an error: the screen as it first comes to rest.
    pub fn settle_first(&mut self) {
        self.until("every feed that cannot wait has an answer or an error", |stage| {
            let open = |wanted: &Wanted| {
                let standing = stage.standing(wanted.feed());
                !matches!(wanted, Wanted::Trickle { .. }) && (standing.busy || standing.answered + standing.failed == 0)
            };
            !stage.app.wanted().iter().any(open)
        });
    }

    /// Asks at once what could wait.
    fn hurry(&mut self) {
        let waiting = self.app.wanted().iter().filter(|wanted| matches!(wanted, Wanted::Trickle { .. })).map(Wanted::feed);
        let new: Vec<Feed> = waiting.filter(|feed| !self.hurried.contains(*feed)).cloned().collect();
        if !new.is_empty() {
            let _inside = self.runtime.enter();
            self.watcher.reconcile(self.app.wanted());
            self.watcher.poke(&new);
            self.hurried.extend(new);
        }
    }

    /// Waits until a tail has read all streams that are known by now.
    pub fn read_up(&mut self) {
        self.settle();
        // Twice: what comes first may have been on its way before the last stream was known.
        for _ in 0..2 {
            let wanted = self.app.wanted().iter().map(Wanted::feed);
            let tails: Vec<(Feed, u32)> =
                wanted.filter(|feed| matches!(feed, Feed::Logs(..))).map(|feed| (feed.clone(), self.standing(feed).answered)).collect();
            let feeds: Vec<Feed> = tails.iter().map(|(feed, _)| feed.clone()).collect();
            self.watcher.poke(&feeds);
            self.until("the tail has read up", |stage| tails.iter().all(|(feed, answered)| stage.standing(feed).answered > *answered));
            self.settle();
        }
    }

    /// Presses the key that asks AWS again, and waits until every feed on screen has been asked anew and said something.
    pub fn refresh(&mut self) {
        let before = self.asked();
        self.press("r");
        self.asked_again(&before);
    }

    /// Asks AWS again as the polls do by themselves, without a key.
    pub fn refresh_quietly(&mut self) {
        let before = self.asked();
        let feeds: Vec<Feed> = before.iter().map(|(feed, _)| feed.clone()).collect();
        self.watcher.poke(&feeds);
        self.asked_again(&before);
    }

    fn asked(&self) -> Vec<(Feed, u32)> {
        let polled = |feed: &&Feed| !matches!(feed, Feed::Logs(..) | Feed::Raw(..));
        self.app.wanted().iter().map(Wanted::feed).filter(polled).map(|feed| (feed.clone(), self.standing(feed).asked)).collect()
    }

    fn asked_again(&mut self, before: &[(Feed, u32)]) {
        self.until("every feed has been asked again", |stage| {
            let done = |(feed, asked): &(Feed, u32)| {
                let standing = stage.standing(feed);
                !stage.app.wanted().iter().any(|wanted| wanted.feed() == feed) || (standing.asked > *asked && !standing.busy)
            };
            before.iter().all(done)
        });
        self.settle();
    }

    /// Presses one key, by its name in the configuration.
    pub fn press(&mut self, key: &str) {
        let key: Key = key.parse().unwrap();
        let now = self.now();
        let mut effects = self.app.update(Event::Key(key), now);
        // Each key comes alone, as under a hand.
        effects.extend(self.app.update(Event::Rest, now));
        for effect in effects {
            match &effect {
                Effect::Poke(feeds) => self.watcher.poke(feeds),
                Effect::Drill(name) => self.sim.start_drill(name).unwrap(),
                Effect::Apply(order) => {
                    let (desk, told, order) = (self.desk.clone(), self.told.0.clone(), (**order).clone());
                    let id = order.id;
                    let gate = self.lock_while_reading.then(|| self.clients.gate().clone());
                    let tell = move |news: Told| {
                        if let (Some(gate), Told::Progress(Progress::Checking)) = (&gate, &news) {
                            gate.set(gate.rules().0.locked(Some(Why::Flag)));
                        }
                        drop(told.send((id, news)));
                    };
                    self.runtime.spawn(async move { desk.carry_out(order, tell).await });
                }
                Effect::Arm(ctx, time) => {
                    // A context that stays locked says so itself.
                    let _ = self.clients.gate().arm(*ctx, *time, now);
                    self.look_at_the_gate();
                }
                _ => {}
            }
            self.effects.push(effect);
        }
        let _inside = self.runtime.enter();
        self.app.follow();
        self.watcher.reconcile(self.app.wanted());
    }

    /// Presses keys, named with blanks between them.
    pub fn keys(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            self.press(key);
        }
    }

    /// Types a text into the line of input.
    pub fn write(&mut self, text: &str) {
        for c in text.chars() {
            let name = if c == ' ' { "space".to_owned() } else { c.to_string() };
            self.press(&name);
        }
    }

    /// Puts the cursor on the first row below it that shows this text.
    pub fn find(&mut self, text: &str) {
        for _ in 0..400 {
            if self.cursor_line(120, 35).contains(text) {
                return;
            }
            let before = self.cursor_line(120, 35);
            self.press("j");
            assert_ne!(before, self.cursor_line(120, 35), "no row shows {text}\n{}", self.screen(120, 35));
        }
        panic!("no row shows {text}\n{}", self.screen(120, 35));
    }

    /// The line that the cursor is on.
    pub fn cursor_line(&mut self, width: u16, height: u16) -> String {
        let screen = self.screen(width, height);
        screen.lines().find(|line| line.starts_with("│>")).unwrap_or_default().to_owned()
    }

    /// Brings the budget's figures to the header.
    pub fn meter(&mut self) {
        let now = self.now();
        self.app.update(Event::Meter(self.watcher.meter()), now);
    }

    /// The header with a rate of its own, for pictures that are to be alike: the real one depends on the machine.
    pub fn metered(&mut self, calls_per_second: f32) {
        let (now, meter) = (self.now(), self.watcher.meter());
        self.app.update(Event::Meter(midwatch::budget::Meter { calls_per_second, ..meter }), now);
    }

    /// Draws a terminal of this size over the last frame, as the program does. A step of the cursor must leave what is drawn from nothing.
    pub fn draw(&mut self, width: u16, height: u16) -> Buffer {
        let (now, area) = (self.now(), Rect::new(0, 0, width, height));
        let kept = self.frame.area == area;
        if !kept {
            self.app.update(Event::Resize(width, height), now);
            self.frame = Buffer::empty(area);
        }
        self.app.settle();
        self.touched = self.app.draw_over(&mut self.frame, kept).1;
        // To draw a whole frame makes a fresh start, so every second step goes unseen: the next is then a step after a step.
        self.unseen ^= self.touched.is_some();
        if self.touched.is_some() && !self.unseen {
            let mut whole = Buffer::empty(area);
            self.app.draw(&mut whole);
            assert_eq!(self.frame, whole, "what is drawn over the last frame is not what is drawn from nothing");
        }
        self.frame.clone()
    }

    /// What a terminal of this size shows, without the blanks at the ends of the lines.
    pub fn screen(&mut self, width: u16, height: u16) -> String {
        let buffer = self.draw(width, height);
        let mut text = String::new();
        for y in 0..height {
            let mut line = String::new();
            let mut x = 0;
            while x < width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                // A wide character covers the cell behind it.
                x += u16::try_from(symbol.width()).unwrap().max(1);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    /// The effects so far.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }
}
