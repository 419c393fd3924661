//! The only loop: wait, take in everything that is queued, act, draw once. `perform` is the only place that touches the world.

mod forwards;
mod sessions;

use crate::app::{App, Effect, Event};
use crate::aws::Clients;
use crate::change::apply::{Desk, Told};
use crate::change::gate::Standing;
use crate::change::journal::{self, Record};
use crate::config::Places;
use crate::exec::term::Mouse;
use crate::feed::{Feed, Outcome, Update, Value};
use crate::kept;
use crate::keys::{Burst, Button, Key, Pointing, Verdict};
use crate::model::{Ctx, Task, Time};
use crate::terminal::{self, Copied, Input, Screen, TerminalEvent, Tracking};
use crate::theme::{Surroundings, Theme};
use crate::view::{Notice, Tone};
use crate::watch::{Pace, Watcher};
use forwards::Forwards;
use sessions::Sessions;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Updates that may queue up before polls wait for the screen.
const QUEUE: usize = 64;

/// Shortest time between two frames that no key asked for.
const FRAME: Duration = Duration::from_millis(33);

/// Longest time for which what was heard waits while keys are answered first, from the first of them on.
const LATEST: Duration = Duration::from_millis(150);

/// Bytes of the journal that are read at the start: a year of a busy team, and what was left open is at its end.
const JOURNAL: u64 = 4 << 20;

/// How often the budget's figures are looked at.
const METER: Duration = Duration::from_secs(1);

/// Starts a drill of the embedded AWS, and says why it cannot.
pub type StartDrill = Box<dyn Fn(&str) -> Result<(), String>>;

/// What the loop owns beside the state.
struct World {
    screen: Screen,
    input: Option<Input>,
    watcher: Watcher,
    clients: Clients,
    places: Places,
    burst: Burst,
    started: Instant,
    /// Something was pressed, and its frame has not been drawn.
    asked: bool,
    settled: Instant,
    /// Since when what was heard has waited for keys.
    put_off: Option<Instant>,
    drills: Option<StartDrill>,
    desk: Desk,
    told: mpsc::UnboundedSender<Word>,
    /// Orders under way, which the end of the program waits for.
    flights: usize,
    /// The rules of the gate that the screen knows.
    gate: u64,
    forwards: Forwards,
    sessions: Sessions,
}

/// What an order tells the loop: of which order, or nothing for what earlier runs left open.
enum Word {
    /// The journal of earlier runs.
    Recalled(Vec<Record>),
    Told(Option<u64>, Told),
    Over,
}

/// Says that an order is over, however it ends.
struct Flight(mpsc::UnboundedSender<Word>);

impl Drop for Flight {
    fn drop(&mut self) {
        // Without a loop there is nobody who waits.
        let _ = self.0.send(Word::Over);
    }
}

/// Runs until the operator or the system ends it. The screen is given back when this returns, however it does. `drills` is there when AWS
/// is the embedded one.
///
/// # Errors
/// When the terminal cannot be taken, or is gone.
///
/// # Panics
/// Never: the input is lent out only while the program is suspended, and nothing else runs then.
pub async fn run(
    mut app: App,
    clients: Clients,
    places: Places,
    mouse: bool,
    refresh: f64,
    drills: Option<StartDrill>,
) -> std::io::Result<()> {
    let (tx, mut updates) = mpsc::channel::<Update>(QUEUE);
    let mut watcher = Watcher::new(clients.clone(), tx);
    watcher.set_refresh(refresh);
    let (tell, mut told) = mpsc::unbounded_channel::<Word>();
    let desk = desk(&clients, &places, &app);
    let mut world = World {
        screen: Screen::enter(mouse)?,
        input: Some(Input::new()),
        watcher,
        clients,
        places,
        burst: Burst::default(),
        started: Instant::now(),
        asked: false,
        settled: Instant::now(),
        put_off: None,
        drills,
        desk,
        told: tell,
        flights: 0,
        gate: 0,
        forwards: Forwards::default(),
        sessions: Sessions::default(),
    };
    world.screen.title("midwatch");
    let mut signals = Signals::new()?;
    let mut recalled = Some(tokio::task::spawn_blocking({
        let (places, now) = (world.places.clone(), world.now());
        move || recall(&places, now)
    }));
    world.take_up();
    tokio::spawn(end_with_the_terminal());
    let mut meter = tokio::time::interval(METER);
    let mut drawn = Instant::now();
    let (columns, rows) = world.screen.size();
    app.update(Event::Resize(columns, rows), world.now());
    loop {
        world.look_at_the_gate(&mut app);
        world.settle(&mut app);
        // The frame first: an answer takes as long as it takes, and the operator waits for this one.
        if app.dirty() {
            world.draw(&mut app)?;
            drawn = Instant::now();
        }
        world.follow(&mut app, &mut drawn)?;
        if app.quitting() {
            world.land(&mut app, &mut told).await?;
            // Nobody waits for a farewell with the screen still taken.
            terminal::restore();
            tokio::join!(world.sessions.leave(), world.forwards.leave());
            return Ok(());
        }
        if app.unsettled() {
            // A key's frame went first; what was heard keeps its distance from that one as well.
            let since = world.settled.elapsed().min(drawn.elapsed());
            world.rest(FRAME.saturating_sub(since), &mut app, &mut updates).await?;
            continue;
        }
        let input = world.input.as_mut().expect("lent out only inside perform");
        let mut flowing = false;
        let event = tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Terminate => Some(Event::Terminate),
                Signal::Continue => { world.screen.resume()?; world.screen.redraw(); Some(Event::Tick) }
            },
            terminal = input.next() => { world.pressed(terminal, &mut app)?; None }
            Some(news) = told.recv() => { world.told(news, &mut app); None }
            Some(update) = updates.recv() => Some(world.heard(update)),
            Some((id, told)) = world.forwards.heard.recv() => Some(Event::Forward(id, told)),
            Some((id, heard)) = world.sessions.heard.recv() => { flowing = true; Some(Event::Session(id, heard)) }
            tasks = async { recalled.as_mut().expect("asked only while it is there").await }, if recalled.is_some() => {
                recalled = None;
                tasks.ok().filter(|tasks| !tasks.is_empty()).map(Event::Recalled)
            }
            _ = meter.tick() => {
                let figures = world.watcher.meter();
                app.update(Event::Meter(figures), world.now());
                app.ages().map(|_| Event::Tick)
            }
        };
        let Some(event) = event else { continue };
        world.take(&mut app, event)?;
        if flowing {
            world.flow(&mut app, drawn).await?;
        } else {
            // Polls come in bundles; a key is never made to wait for them, but one frame serves them all.
            while !world.drain(&mut app)? {
                let Ok(update) = updates.try_recv() else { break };
                let event = world.heard(update);
                world.take(&mut app, event)?;
            }
            if !world.asked && drawn.elapsed() < FRAME && app.dirty() {
                world.settle(&mut app);
                world.watcher.reconcile(app.wanted());
                world.rest(FRAME.saturating_sub(drawn.elapsed()), &mut app, &mut updates).await?;
            }
        }
    }
}

impl World {
    /// AWS's time: ages are told by the clock that made the timestamps.
    fn now(&self) -> Time {
        self.by_aws(Time::now())
    }

    fn by_aws(&self, local: Time) -> Time {
        let skew = jiff::SignedDuration::from_millis(self.clients.clock_skew_ms());
        // Beyond the calendar's ends there is no age to tell.
        local.checked_add(skew).unwrap_or(Time::MAX)
    }

    /// Polls date their answers by the local clock; an age is the difference of two times of one clock.
    fn heard(&self, update: Update) -> Event {
        Event::Update(Box::new(Update { at: self.by_aws(update.at), ..update }))
    }

    fn take(&mut self, app: &mut App, event: Event) -> std::io::Result<()> {
        for effect in app.update(event, self.now()) {
            self.perform(effect, app)?;
        }
        Ok(())
    }

    /// Takes in what the terminal said, and what it has sent since.
    fn pressed(&mut self, said: Option<std::io::Result<TerminalEvent>>, app: &mut App) -> std::io::Result<()> {
        let event = match said {
            Some(Ok(event)) => self.translate(event, app),
            // The terminal is gone: nobody is left to ask.
            Some(Err(_)) | None => Some(Event::Terminate),
        };
        if let Some(event) = event {
            self.take(app, event)?;
        }
        if !self.drain(app)? {
            self.asked = true;
            self.take(app, Event::Rest)?;
        }
        Ok(())
    }

    /// Takes in what the terminal has already sent. Returns whether that was anything.
    fn drain(&mut self, app: &mut App) -> std::io::Result<bool> {
        let mut any = false;
        while let Some(input) = self.input.as_mut() {
            let Some(event) = input.ready() else { break };
            any = true;
            if let Some(event) = self.translate(event, app) {
                self.take(app, event)?;
            }
        }
        if any {
            self.asked = true;
            self.take(app, Event::Rest)?;
        }
        Ok(any)
    }

    /// Brings the screen up to what was heard, unless a key waits for its frame: that is drawn from what the screen knew, for to judge
    /// and to sort anew takes longer than to draw.
    fn settle(&mut self, app: &mut App) {
        if std::mem::take(&mut self.asked) && app.unsettled() && self.put_off.get_or_insert_with(Instant::now).elapsed() < LATEST {
            return;
        }
        app.settle();
        self.put_off = None;
        self.settled = Instant::now();
    }

    fn draw(&mut self, app: &mut App) -> std::io::Result<()> {
        self.screen.draw(|buffer, kept| app.draw_over(buffer, kept))
    }

    /// Starts and ends polls by what is wanted now.
    fn follow(&mut self, app: &mut App, drawn: &mut Instant) -> std::io::Result<()> {
        // The header may say that what a step has made wanted is loading: a few cells, for which the step's own frame did not wait.
        if app.follow() {
            self.draw(app)?;
            *drawn = Instant::now();
        }
        self.watcher.reconcile(app.wanted());
        Ok(())
    }

    /// Takes in what comes until the next frame is due, unless a key wants an answer at once.
    async fn rest(&mut self, time: Duration, app: &mut App, updates: &mut mpsc::Receiver<Update>) -> std::io::Result<()> {
        let due = tokio::time::sleep(time);
        tokio::pin!(due);
        loop {
            let input = self.input.as_mut().expect("lent out only inside perform");
            tokio::select! {
                biased;
                terminal = input.next() => return self.pressed(terminal, app),
                () = &mut due => return Ok(()),
                // What was typed into a session comes back at once, and not when the polls' frame is due.
                Some((id, heard)) = self.sessions.heard.recv() => {
                    self.take(app, Event::Session(id, heard))?;
                    if std::mem::take(&mut self.sessions.owed) {
                        return Ok(());
                    }
                }
                Some(update) = updates.recv() => {
                    let event = self.heard(update);
                    self.take(app, event)?;
                }
            }
        }
    }

    fn translate(&mut self, event: TerminalEvent, app: &mut App) -> Option<Event> {
        match event {
            TerminalEvent::Key(key) => self.key(key, app),
            TerminalEvent::Paste(text) => Some(Event::Paste(text)),
            TerminalEvent::Mouse(mouse) if app.takes_all() => Some(Event::Pointed(mouse)),
            TerminalEvent::Mouse(mouse) => match mouse.what {
                Pointing::Press(Button::Left) => Some(Event::Click(mouse.column, mouse.row)),
                Pointing::WheelUp => Some(Event::Scroll(-3)),
                Pointing::WheelDown => Some(Event::Scroll(3)),
                _ => None,
            },
            TerminalEvent::Resize => {
                let (columns, rows) = self.screen.size();
                Some(Event::Resize(columns, rows))
            }
            TerminalEvent::Focus(focused) => Some(Event::Focus(focused)),
        }
    }

    /// Text meant for another window comes faster than anybody types; outside a line of input it is dropped.
    fn key(&mut self, key: Key, app: &App) -> Option<Event> {
        if app.typing() {
            // What is typed into a session comes back from it, and is to be seen then.
            self.sessions.owed |= app.takes_all();
            return Some(Event::Key(key));
        }
        match self.burst.judge(key, self.started.elapsed()) {
            Verdict::Typed => Some(Event::Key(key)),
            Verdict::Burst => None,
            Verdict::BurstBegins => Some(Event::Burst),
        }
    }

    fn perform(&mut self, effect: Effect, app: &mut App) -> std::io::Result<()> {
        let said = match effect {
            Effect::Copy(text, label) => Some(self.copy(&text, &label)?),
            Effect::Save(path, text) => Some(save(&path, &text)),
            Effect::Poke(feeds) => {
                self.watcher.poke(&feeds);
                None
            }
            Effect::Keep(_) if !self.places.remembers() => None,
            Effect::Keep(tasks) => {
                // A disk may be slow, and none of this is worth a key's time.
                let places = self.places.clone();
                tokio::task::spawn_blocking(move || {
                    let lines = kept::lines(tasks.iter().map(|task| &**task));
                    if let Err(error) = places.append(kept::FILE, &lines) {
                        tracing::warn!("{error}");
                    }
                });
                None
            }
            Effect::Suspend => {
                self.input = None;
                let back = self.screen.suspend();
                self.input = Some(Input::new());
                back?;
                self.screen.redraw();
                let (columns, rows) = self.screen.size();
                app.update(Event::Resize(columns, rows), self.now());
                None
            }
            Effect::Repaint => {
                self.screen.redraw();
                None
            }
            Effect::Focused(focused) => {
                self.watcher.set_pace(if focused { Pace::Normal } else { Pace::Unfocused });
                None
            }
            Effect::Ring { bell, notify } => {
                if bell {
                    self.screen.bell();
                }
                if let Some(text) = notify {
                    self.screen.notify(&text);
                }
                None
            }
            Effect::Title(title) => {
                self.screen.title(&title);
                None
            }
            Effect::Forward(order) => {
                self.forwards.open(&self.desk, *order, self.told.clone());
                None
            }
            Effect::EndForward(id) => {
                self.forwards.end(id);
                None
            }
            Effect::Session(order) => {
                self.sessions.open(&self.desk, *order, self.told.clone());
                None
            }
            Effect::Tell(id, ask) => {
                self.sessions.tell(id, ask);
                None
            }
            Effect::Mouse(level) => {
                self.screen.track(match level {
                    Mouse::Moves => Tracking::Moves,
                    Mouse::Drags => Tracking::Drags,
                    Mouse::Off | Mouse::Press | Mouse::Clicks => Tracking::Clicks,
                });
                None
            }
            Effect::Drill(name) => Some(self.drill(&name)),
            Effect::Apply(order) => {
                let (desk, told, id) = (self.desk.clone(), self.told.clone(), order.id);
                self.flights += 1;
                tokio::spawn(async move {
                    let _flight = Flight(told.clone());
                    // A loop that has ended has waited for this, or was told not to.
                    desk.carry_out(*order, |news| drop(told.send(Word::Told(Some(id), news)))).await;
                });
                None
            }
            Effect::Arm(ctx, time) => Some(self.arm(ctx, time, app)),
            Effect::Theme(name) => match Theme::choose(Some(&name), None, self.places.themes().as_deref(), &Surroundings::from_env()) {
                Ok(theme) => {
                    app.update(Event::Theme(Box::new(theme)), self.now());
                    None
                }
                Err(text) => Some(Notice { tone: Tone::Fail, text }),
            },
        };
        if let Some(notice) = said {
            app.update(Event::Said(notice), self.now());
        }
        Ok(())
    }

    /// Looks for what earlier runs left open, beside everything else.
    fn take_up(&mut self) {
        let (desk, told) = (self.desk.clone(), self.told.clone());
        tokio::spawn(async move {
            let places = desk.places.clone();
            let read = tokio::task::spawn_blocking(move || places.tail(journal::FILE, JOURNAL)).await;
            let records = match read {
                Ok(Ok(file)) => journal::read(&file),
                Ok(Err(error)) => return drop(told.send(Word::Told(None, Told::Said(error)))),
                Err(_) => return,
            };
            drop(told.send(Word::Recalled(records[records.len().saturating_sub(journal::SHOWN)..].to_vec())));
            desk.take_up(&records, |news| drop(told.send(Word::Told(None, news)))).await;
        });
    }

    /// What the gate goes by may change by a key, by an answer of AWS, or by an order.
    fn look_at_the_gate(&mut self, app: &mut App) {
        let gate = self.clients.gate();
        if gate.version() != self.gate {
            let (rules, version) = gate.rules();
            self.gate = version;
            app.update(Event::Gate(Box::new(rules)), self.now());
        }
    }

    fn arm(&self, ctx: Ctx, time: Duration, app: &App) -> Notice {
        let name = &app.fleet().context(ctx).name;
        match self.clients.gate().arm(ctx, time, self.now()) {
            Ok(Standing::Armed { until }) => {
                let minutes = (until.as_second() - self.now().as_second() + 59) / 60;
                Notice { tone: Tone::Warn, text: format!("{name} takes changes for {minutes} min") }
            }
            Ok(Standing::Open) => Notice { tone: Tone::Info, text: format!("{name} is no production: it takes changes anyway") },
            Ok(Standing::Locked { why }) => Notice { tone: Tone::Info, text: format!("{name} is read-only: {}", why.words()) },
            Err(why) => Notice { tone: Tone::Fail, text: format!("{name} stays read-only: {why}") },
        }
    }

    fn told(&mut self, word: Word, app: &mut App) {
        let now = self.now();
        let (id, told) = match word {
            Word::Told(id, told) => (id, told),
            Word::Recalled(records) => return drop(app.update(Event::Journal(records), now)),
            Word::Over => {
                self.flights -= 1;
                return;
            }
        };
        let event = match told {
            Told::Progress(progress) => Event::Progress(id.unwrap_or_default(), progress),
            Told::Record(record) => Event::Journal(vec![*record]),
            Told::Said(text) => Event::Said(Notice { tone: Tone::Warn, text }),
            Told::Service(ctx, service) => {
                let (feed, value) = (Feed::Service(ctx, service.arn.clone()), Value::Services(vec![Arc::new(*service)]));
                Event::Update(Box::new(Update { feed, epoch: 0, at: now, outcome: Outcome::Whole(value) }))
            }
            Told::Poke(mut feeds) => {
                // A deployment of CodeDeploy has an id that the plan may not know.
                feeds.extend(
                    app.wanted().iter().map(|wanted| wanted.feed().clone()).filter(|feed| matches!(feed, Feed::CodeDeployment(..))),
                );
                return self.watcher.poke(&feeds);
            }
        };
        app.update(event, now);
    }

    /// Waits until AWS has answered what is under way: a change is not left half done because somebody quits. A second Ctrl-c does not
    /// wait; what is in the journal is looked into at the next start.
    async fn land(&mut self, app: &mut App, told: &mut mpsc::UnboundedReceiver<Word>) -> std::io::Result<()> {
        let mut listening = true;
        while self.flights > 0 {
            let text = "a change is being sent: quitting once AWS has answered · ctrl-c quits now, the request may still apply";
            app.update(Event::Said(Notice { tone: Tone::Warn, text: text.to_owned() }), self.now());
            app.settle();
            self.draw(app)?;
            let input = self.input.as_mut().expect("lent out only inside perform");
            tokio::select! {
                biased;
                Some(word) = told.recv() => self.told(word, app),
                terminal = input.next(), if listening => match terminal {
                    Some(Ok(TerminalEvent::Key(key))) if Some(key) == "ctrl-c".parse().ok() => return Ok(()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => listening = false,
                },
            }
        }
        Ok(())
    }

    /// What the drill does shows by itself, as soon as the polls see it.
    fn drill(&self, name: &str) -> Notice {
        match self.drills.as_ref().map(|start| start(name)) {
            Some(Ok(())) => Notice { tone: Tone::Info, text: format!("drill {name} has begun in the embedded AWS") },
            Some(Err(why)) => Notice { tone: Tone::Fail, text: format!("drill {name}: {why}") },
            None => Notice { tone: Tone::Warn, text: "drills are for --demo".to_owned() },
        }
    }

    /// Says what is known: that the terminal was asked, never that the clipboard has it.
    fn copy(&mut self, text: &str, label: &str) -> std::io::Result<Notice> {
        let copied = self.screen.copy(text)?;
        let tone = if matches!(copied, Copied::Sent { .. }) { Tone::Info } else { Tone::Warn };
        Ok(Notice { tone, text: format!("{label}: {copied}") })
    }
}

/// Where orders are carried out.
fn desk(clients: &Clients, places: &Places, app: &App) -> Desk {
    Desk {
        clients: clients.clone(),
        places: places.clone(),
        user: user(),
        fleet: app.fleet().clone(),
        cli: crate::change::cli_lines::lines,
    }
}

/// Who is logged in at this machine, as the environment says.
#[must_use]
pub fn user() -> crate::model::Str {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    crate::text::clean(&user.unwrap_or_default())
}

/// Reads the stopped tasks of earlier runs; a file that has grown is written anew with those that are still evidence.
fn recall(places: &Places, now: Time) -> Vec<Task> {
    let file = match places.recall(kept::FILE) {
        Ok(file) => file.unwrap_or_default(),
        Err(error) => {
            tracing::warn!("{error}");
            return Vec::new();
        }
    };
    let mut tasks = kept::read(&file);
    tasks.retain(|task| kept::worth(task, now));
    if file.len() > kept::FILE_BYTES
        && let Err(error) = places.remember(kept::FILE, &kept::lines(&tasks))
    {
        tracing::warn!("{error}");
    }
    tasks
}

fn save(path: &std::path::Path, text: &str) -> Notice {
    if path.exists() {
        return Notice { tone: Tone::Warn, text: format!("{} exists and was left as it is · choose another name", path.display()) };
    }
    match std::fs::write(path, text) {
        Ok(()) => Notice { tone: Tone::Info, text: format!("wrote {} bytes to {}", text.len(), path.display()) },
        Err(error) => Notice { tone: Tone::Fail, text: format!("cannot write {}: {error}", path.display()) },
    }
}

/// How often the terminal is looked at whether it is still there.
const LOOK: Duration = Duration::from_secs(2);

/// Ends the program when its terminal has hung up. Runs beside the loop, because crossterm 0.29 never returns from reading a terminal that
/// is gone: it takes end-of-file and `EIO` for "read again".
async fn end_with_the_terminal() {
    let mut look = tokio::time::interval(LOOK);
    let mut gone = 0;
    // Twice, so that the loop can end in its own way, which it does unless it is stuck.
    while gone < 2 {
        look.tick().await;
        gone += u32::from(hung_up());
    }
    crate::terminal::restore();
    // 128 + SIGHUP, what a shell reports of a program that ended by it.
    std::process::exit(129);
}

#[cfg(unix)]
fn hung_up() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = std::io::stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
}

#[cfg(not(unix))]
fn hung_up() -> bool {
    false
}

/// What the system says.
enum Signal {
    Terminate,
    Continue,
}

#[cfg(unix)]
struct Signals {
    term: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    cont: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            term: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            cont: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => Signal::Terminate,
            _ = self.hangup.recv() => Signal::Terminate,
            _ = self.cont.recv() => Signal::Continue,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) -> Signal {
        // Without a console there is nobody to stop us but the terminal, whose end the input stream reports.
        let _ = tokio::signal::ctrl_c().await;
        Signal::Terminate
    }
}
