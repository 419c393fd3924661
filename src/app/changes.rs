//! Changes from the key to the outcome: which targets, which dialog, what was confirmed, and how it ended.
//!
//! Everything that is sent goes out as one effect, [`Effect::Apply`]; whether it may be sent is the gate's to say, not this module's.

use super::dialog::{self, Answer, Dialog, Flight, Form};
use super::{App, Effect, Overlay};
use crate::action::Action;
use crate::change::apply::{Order, Progress};
use crate::change::{Plan, Target, Verb, Wish, ask};
use crate::feed::{Feed, Wanted};
use crate::keys::Key;
use crate::model::{Arn, Str, Time, scaling_resource};
use crate::panes;
use crate::store::Store;
use crate::view::{Place, Subject, Tone};

/// Milliseconds within which the same change of the same target is asked for once more.
const TWICE_MS: i64 = 5000;

/// Milliseconds without it after which a key that confirmed is taken to have been let go. A keyboard waits up to two thirds of a second
/// before it repeats.
const HELD_MS: i64 = 1000;

/// What is known of changes beside the dialog.
#[derive(Default)]
pub struct Changes {
    /// Orders so far, for their ids.
    orders: u64,
    /// Orders that nobody waits for any more.
    flights: Vec<Flight>,
    /// What was sent last, against sending it twice.
    sent: Vec<(Verb, Arn, Time)>,
    pub(super) past: super::undo::Past,
    /// The key that confirmed last, and when it was last seen: while it is held down it means nothing else.
    held: Option<(Key, Time)>,
}

/// What keys act on: the row under the cursor, the marked rows, and the marks whose rows are gone.
pub(super) struct Here {
    pub(super) subject: Subject,
    marked: Vec<Subject>,
    gone: Vec<Str>,
}

/// The verb of an action, where it is one.
pub fn verb(action: Action) -> Option<Verb> {
    Some(match action {
        Action::Redeploy => Verb::Redeploy,
        Action::Scale => Verb::Scale,
        Action::RollBack => Verb::RollBack,
        Action::StopTasks => Verb::StopTasks,
        Action::DeployImage => Verb::DeployImage,
        Action::EnableExec => Verb::EnableExec,
        Action::Drain => Verb::Drain,
        Action::Activate => Verb::Activate,
        Action::RunTask => Verb::RunTask,
        Action::ScalingRange => Verb::ScalingRange,
        Action::Continue | Action::Abandon => Verb::Continue,
        Action::Protect => Verb::Protect,
        Action::Unprotect => Verb::Unprotect,
        _ => return None,
    })
}

impl App {
    /// Opens what a changing action needs: the dialog, or the pane where a revision or an image is picked first.
    pub(super) fn change(&mut self, action: Action, key: Option<Key>) {
        let Some(verb) = verb(action) else { return };
        if verb == Verb::StopTasks && self.choose_tasks() {
            return;
        }
        let here = self.here();
        let targets = match self.targets(verb, &here) {
            Ok(targets) => targets,
            Err(why) => return self.tell(Tone::Warn, format!("{}: {why}", verb.word())),
        };
        let picker = match verb {
            Verb::RollBack => Some("rollback"),
            Verb::DeployImage => Some("deploy"),
            _ => None,
        };
        if picker.is_some() && picker == self.views.last().map(|view| view.name()) {
            // The key that opened the list means the row under its cursor.
            drop(self.act(Action::Open));
            return;
        }
        if let (Some(name), [target]) = (picker, targets.as_slice()) {
            let place = Place {
                ctx: Some(target.ctx),
                cluster: Some(target.cluster.clone()),
                service: Some(target.arn.clone()),
                ..Place::default()
            };
            if let Some(pane) = panes::named(name) {
                self.go(pane, Some(place));
            }
            return;
        }
        match self.form(action, &targets) {
            Ok(form) => self.open_dialog(targets, here.gone, form, key.and_then(Key::typed)),
            Err(why) => self.tell(Tone::Warn, format!("{}: {why}", verb.word())),
        }
    }

    pub(super) fn open_dialog(&mut self, targets: Vec<Target>, gone: Vec<Str>, form: Form, opened_by: Option<char>) {
        let mut dialog = Dialog::open(targets, gone, form, opened_by, &self.shared.cx());
        dialog.heed(&self.rules, self.shared.now);
        self.notice = None;
        self.overlay = Some(Overlay::Dialog(Box::new(dialog)));
        self.dirty = true;
    }

    /// What the visible view has under the cursor and marked.
    pub(super) fn here(&self) -> Here {
        let cx = self.shared.cx();
        let view = self.views.last();
        let (marked, gone) = view.map(|view| view.marked(&cx)).unwrap_or_default();
        Here { subject: view.map(|view| view.subject(&cx)).unwrap_or_default(), marked, gone }
    }

    /// The service under the cursor, or the one that is marked, where it is not its tasks that are listed.
    pub(super) fn tasks_to_choose(&self, here: &Here) -> Option<Place> {
        let view = self.views.last()?;
        let subject = match here.marked.as_slice() {
            [] => &here.subject,
            [one] => one,
            _ => return None,
        };
        let place = &subject.place;
        let whole = !subject.ghost && place.task.is_none() && place.ctx.is_some() && place.cluster.is_some() && place.service.is_some();
        whole.then(|| Place { container: None, target_group: None, instance: None, ..place.clone() }).filter(|_| view.name() != "tasks")
    }

    /// Which tasks of a service are meant is chosen in their list. Returns whether that was opened.
    fn choose_tasks(&mut self) -> bool {
        let Some((place, pane)) = self.tasks_to_choose(&self.here()).zip(panes::named("tasks")) else { return false };
        let name = place.service.as_ref().map_or("", Arn::name).to_owned();
        self.go(pane, Some(place));
        let key = |action: Action| self.shared.keys.key_of(action, self.kind()).unwrap_or_default();
        let (mark, stop) = (key(Action::Mark), key(Action::StopTasks));
        self.tell(Tone::Info, format!("{mark} marks tasks of {name}, {stop} stops those, or the one under the cursor"));
        true
    }

    /// What a verb would act on here: the marked rows, else what the cursor is on.
    pub(super) fn targets(&self, verb: Verb, here: &Here) -> Result<Vec<Target>, String> {
        if self.views.is_empty() {
            return Err("nothing is open".to_owned());
        }
        let subjects =
            if here.marked.is_empty() && here.gone.is_empty() { std::slice::from_ref(&here.subject) } else { here.marked.as_slice() };
        if subjects.is_empty() {
            return Err("all marked rows are gone from AWS's answer".to_owned());
        }
        if subjects.iter().any(|subject| subject.ghost) {
            return Err("this row is gone from AWS's answer".to_owned());
        }
        let mut targets: Vec<Target> = Vec::new();
        for subject in subjects {
            let target = target(verb, subject)?;
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        let single = matches!(verb, Verb::RollBack | Verb::DeployImage | Verb::RunTask | Verb::ScalingRange | Verb::Continue);
        if single && targets.len() > 1 {
            return Err(format!("one service at a time; {} are marked", targets.len()));
        }
        Ok(targets)
    }

    /// The form of an action, filled in with how things are.
    fn form(&self, action: Action, targets: &[Target]) -> Result<Form, String> {
        form_of(action, targets, &self.shared.store)
    }

    /// Feeds of the open dialog.
    pub(super) fn dialog_wants(&mut self) {
        if let Some(Overlay::Dialog(dialog)) = &self.overlay {
            let mut wanted: Vec<Wanted> = Vec::new();
            dialog.wanted(&self.shared.cx(), &mut wanted);
            wanted.retain(|wanted| !self.wanted.iter().any(|known| known.feed() == wanted.feed()));
            self.wanted.extend(wanted);
        }
    }

    /// Makes the open dialog's plan anew from what was heard.
    pub(super) fn replan(&mut self) {
        let cx = self.shared.cx();
        if let Some(Overlay::Dialog(dialog)) = &mut self.overlay {
            dialog.plan(&cx);
            self.dirty = true;
        }
    }

    pub(super) fn dialog_key(&mut self, mut dialog: Box<Dialog>, key: Key) -> Vec<Effect> {
        dialog.heed(&self.rules, self.shared.now);
        let answer = dialog.key(key, &self.shared.cx());
        let sure = matches!(answer, Answer::Sure);
        let still = self.changes.held.is_some_and(|(known, _)| known == key);
        self.changes.held = (sure || still).then_some((key, self.shared.now));
        match answer {
            Answer::Stay | Answer::Sure => self.overlay = Some(Overlay::Dialog(dialog)),
            Answer::Close => {
                if let Some(flight) = dialog.take_flight() {
                    let how = if flight.begun() { "the request may still apply" } else { "it is sent as soon as what it rests on is read" };
                    self.tell(Tone::Warn, format!("stopped waiting: {how} · what becomes of it is said here"));
                    self.changes.flights.push(flight);
                }
            }
            Answer::Copy(text) => {
                self.overlay = Some(Overlay::Dialog(dialog));
                return self.copy(text, "AWS CLI lines");
            }
        }
        Vec::new()
    }

    /// No more keys wait: what was confirmed by a key that came alone is sent.
    pub(super) fn rest(&mut self) -> Vec<Effect> {
        let now = self.shared.now;
        let cx = self.shared.cx();
        let Some(Overlay::Dialog(dialog)) = &mut self.overlay else { return Vec::new() };
        let Some(plans) = dialog.rest() else {
            let feeds = dialog.fresh(&cx);
            return if feeds.is_empty() { Vec::new() } else { vec![Effect::Poke(feeds)] };
        };
        self.dirty = true;
        self.changes.sent.retain(|(.., at)| now.as_millisecond() - at.as_millisecond() < TWICE_MS);
        let before = |plan: &Plan, (verb, arn, _): &&(Verb, _, Time)| *verb == plan.verb && plan.targets.contains(arn);
        let twice = self.changes.sent.iter().find(|sent| plans.iter().any(|plan| before(plan, sent)));
        if let Some((.., at)) = twice.filter(|_| !dialog.compared() && !dialog.takes_back())
            && !dialog.ask_again(now.as_second() - at.as_second())
        {
            return Vec::new();
        }
        let sent = plans.iter().flat_map(|plan| plan.targets.iter().map(|arn| (plan.verb, arn.clone(), now)));
        self.changes.sent.extend(sent);
        self.changes.orders += 1;
        let order = Order { id: self.changes.orders, plans: plans.clone(), compared: dialog.compared() };
        dialog.send(Flight::new(order.id, plans, now));
        vec![Effect::Apply(Box::new(order))]
    }

    /// Takes in how far an order is.
    pub(super) fn progress(&mut self, id: u64, progress: Progress) {
        self.dirty = true;
        let in_dialog = match &mut self.overlay {
            Some(Overlay::Dialog(dialog)) => dialog.flight().filter(|flight| flight.id == id),
            _ => None,
        };
        let waited_for = in_dialog.is_some();
        let Some(flight) = in_dialog.or_else(|| self.changes.flights.iter_mut().find(|flight| flight.id == id)) else {
            return self.progressed(&progress);
        };
        flight.heard(&progress);
        match progress {
            Progress::Moved(moved, plans) => self.moved(id, moved, plans, waited_for),
            Progress::Done | Progress::Refused(_) | Progress::Rehearsed(_) => self.landed(id),
            _ => {}
        }
    }

    fn moved(&mut self, id: u64, moved: Vec<crate::change::Moved>, plans: Vec<Plan>, waited_for: bool) {
        // It was not sent, so the same once more is no second time.
        let about = |arn: &Arn| plans.iter().any(|plan| plan.targets.contains(arn));
        self.changes.sent.retain(|(_, arn, _)| !about(arn));
        if waited_for && let Some(Overlay::Dialog(dialog)) = &mut self.overlay {
            dialog.moved(moved, plans, &self.shared.cx());
            return;
        }
        self.changes.flights.retain(|flight| flight.id != id);
        let what = moved.first().map_or(String::new(), |moved| format!(" · {} {} is {} now", moved.target, moved.what, moved.now));
        self.tell(Tone::Warn, format!("nothing was sent: what the change rests on has moved{what}"));
    }

    /// An order is over: its ways back are kept, and what became of it is said where the operator looks.
    fn landed(&mut self, id: u64) {
        let in_dialog = match &mut self.overlay {
            Some(Overlay::Dialog(dialog)) => dialog.flight().is_some_and(|flight| flight.id == id),
            _ => false,
        };
        let (dialog, flight) = if in_dialog {
            let Some(Overlay::Dialog(mut dialog)) = self.overlay.take() else { return };
            let flight = dialog.take_flight();
            (Some(dialog), flight)
        } else {
            let at = self.changes.flights.iter().position(|flight| flight.id == id);
            (None, at.map(|at| self.changes.flights.remove(at)))
        };
        let Some(flight) = flight else { return };
        self.remember(&flight);
        let (lines, well) = (flight.lines(), flight.all_done());
        for (well, line) in &lines {
            self.tell(if *well { Tone::Info } else { Tone::Fail }, line.clone());
        }
        if lines.len() > 1 && well {
            self.tell(Tone::Info, format!("{} changes: AWS has taken all of them", lines.len()));
        }
        self.watch_what_was_done(&flight, well && dialog.is_some());
        if let Some(mut dialog) = dialog.filter(|_| !well) {
            dialog.end(flight);
            self.overlay = Some(Overlay::Dialog(dialog));
        }
    }

    /// Why a verb would come to nothing for these targets, as far as can be told now.
    pub(super) fn hindrance(&self, action: Action, targets: &[Target]) -> Option<String> {
        // What is picked first has no plan yet.
        if matches!(action, Action::RollBack | Action::DeployImage) {
            return None;
        }
        let wish = match self.form(action, targets) {
            Ok(Form::Fixed(wish)) => wish,
            Ok(Form::Minutes(_)) => Wish::Protect(None),
            Ok(_) => return None,
            Err(why) => return Some(why),
        };
        let cx = self.shared.cx();
        let plans = wish.plans(targets, |target| dialog::facts(target, &cx));
        plans.into_iter().find_map(|(_, plan)| match plan {
            // What the dialog would read first is no hindrance: the menu asks AWS for nothing.
            Err(why) => Some(why).filter(|why| !why.starts_with("still reading")),
            Ok(plan) => plan.notes.into_iter().find(|note| note.weight == crate::change::Weight::Blocker).map(|note| note.text),
        })
    }
}

impl Changes {
    /// Whether a key is only the end of the one that confirmed a change: it is still held down.
    pub fn still_held(&mut self, key: Key, now: Time) -> bool {
        let held = self.held.filter(|(known, at)| *known == key && now.as_millisecond() - at.as_millisecond() < HELD_MS);
        self.held = held.map(|(key, _)| (key, now));
        held.is_some()
    }
}

/// Whether there is anything that a change could act on.
pub fn any_target(subject: &Subject) -> bool {
    let place = &subject.place;
    !subject.ghost
        && place.ctx.is_some()
        && place.cluster.is_some()
        && (place.service.is_some() || place.task.is_some() || place.instance.is_some())
}

/// The form of an action, filled in with how things are. What has to be read first waits for it in the dialog, which asks for it.
pub fn form_of(action: Action, targets: &[Target], store: &Store) -> Result<Form, String> {
    let service = targets.first().and_then(|target| store.service(target.ctx, &target.cluster, &target.arn));
    let range = targets.first().and_then(|target| {
        let resource = scaling_resource(target.cluster.name(), target.arn.name());
        store.scalable_targets(target.ctx)?.iter().find(|range| *range.resource == *resource)
    });
    let read = |feed: &Feed| store.slot(feed).is_some_and(|slot| slot.value.is_some() || slot.error.is_some());
    let waits = || Ok(Form::Unread(action));
    Ok(match action {
        Action::Redeploy => Form::Fixed(Wish::Redeploy),
        Action::Scale if targets.len() > 1 => Form::count_of_many(),
        Action::Scale => match service {
            Some(service) => Form::count(service.desired, range.map(|range| (range.min, range.max))),
            None => return waits(),
        },
        Action::StopTasks => Form::Fixed(Wish::StopTasks),
        Action::EnableExec => Form::Fixed(Wish::EnableExec),
        Action::Drain => Form::Fixed(Wish::Drain),
        Action::Activate => Form::Fixed(Wish::Activate),
        Action::RunTask => {
            let (Some(service), Some(target)) = (service, targets.first()) else { return waits() };
            let feed = Feed::TaskDefinition(target.ctx, service.task_definition.clone());
            let Some(definition) = store.definition(target.ctx, &service.task_definition) else {
                return store.error(&feed).map_or_else(waits, |error| Err(error.what.to_string()));
            };
            let container = definition.containers.iter().find(|container| container.essential).or(definition.containers.first());
            let container = container.map(|container| container.name.clone()).unwrap_or_default();
            Form::command(service.task_definition.clone(), container)
        }
        Action::ScalingRange => {
            let feed = targets.first().map(|target| Feed::ScalableTargets(target.ctx));
            match (range, feed) {
                (Some(range), _) => Form::range((range.min, range.max), range.suspended),
                (None, Some(feed)) if !read(&feed) => return waits(),
                (None, Some(feed)) => {
                    let why = store.error(&feed).map(|error| error.what.to_string());
                    return Err(why.unwrap_or_else(|| "Application Auto Scaling does not scale it".to_owned()));
                }
                (None, None) => return Err("there is no service".to_owned()),
            }
        }
        Action::Continue => Form::Fixed(Wish::AnswerHook { roll_back: false }),
        Action::Abandon => Form::Fixed(Wish::AnswerHook { roll_back: true }),
        Action::Protect => Form::minutes(),
        Action::Unprotect => Form::Fixed(Wish::Unprotect),
        _ => return Err("is no change".to_owned()),
    })
}

/// What a verb acts on of a subject.
fn target(verb: Verb, subject: &Subject) -> Result<Target, String> {
    let place = &subject.place;
    let (arn, what) = match verb {
        Verb::StopTasks | Verb::Protect | Verb::Unprotect => (&place.task, "put the cursor on a task"),
        Verb::Drain | Verb::Activate => (&place.instance, "put the cursor on a container instance"),
        _ => (&place.service, "put the cursor on a service"),
    };
    match (place.ctx, &place.cluster, arn) {
        (Some(ctx), Some(cluster), Some(arn)) => Ok(Target { ctx, cluster: cluster.clone(), arn: arn.clone() }),
        _ => Err(what.to_owned()),
    }
}

/// The name that the operator knows a target by.
pub(super) fn named(targets: &[Target]) -> String {
    match targets {
        [one] => ask::short(&one.arn).to_owned(),
        many => format!("{} marked", many.len()),
    }
}
