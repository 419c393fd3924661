//! The dialog of a session: which task, which container, which command, what stands in the way and how to mend it, what is recorded, and
//! the line that AWS's own tool would take.
//!
//! It opens nothing: it hands over the target that was confirmed.

mod draw;

use super::ACTION;
use crate::change::cli_lines::quoted;
use crate::change::gate::{Asked, Rules};
use crate::exec::checks::{self, Facts, Finding};
use crate::exec::shells::Target;
use crate::feed::{Feed, Wanted};
use crate::keys::{Code, Key};
use crate::model::{Arn, Ctx, Str, Task, TaskStatus};
use crate::ui::input::Input;
use crate::view::{Cx, Place, Production};
use std::sync::Arc;

/// What a shell is called everywhere.
const PLAIN: &str = "/bin/sh";

/// What a key came to.
pub enum Answer {
    /// The dialog stays.
    Stay,
    /// It is left.
    Close,
    /// Copy the line of AWS's own tool.
    Copy(String),
    /// Open the dialog that lets new tasks of the service have exec.
    Enable(Arn),
}

/// A row of the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Task,
    Container,
    Command,
    Custom,
    Cancel,
}

/// How grave a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// In the way: AWS would refuse.
    Blocker,
    /// Worth a look.
    Warning,
    /// As it should be.
    Fine,
    /// The caller may not look.
    Unknown,
    /// It takes more than this program to look, which `midwatch doctor` says.
    Elsewhere,
    /// The answer is on its way.
    Reading,
}

/// Something that was looked at before, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub weight: Weight,
    pub what: String,
    pub fix: String,
}

/// What is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Configured,
    Plain,
    Custom,
}

/// An open dialog.
pub struct ExecDialog {
    place: Place,
    ctx: Ctx,
    cluster: Arn,
    /// What can be chosen: running first, newest first.
    tasks: Vec<Arc<Task>>,
    task: Option<Arn>,
    container: Option<Str>,
    command: Command,
    configured: String,
    custom: Input,
    focus: Focus,
    production: Production,
    checks: Vec<Check>,
    /// Where the session is recorded.
    audit: String,
    /// The last key asked to open; whether it came alone shows when no more keys wait.
    sure: bool,
    /// Keys since the last rest.
    keys: usize,
    said: String,
    scroll: usize,
}

impl ExecDialog {
    /// Opens it for a container, a task or a service.
    ///
    /// # Errors
    /// What it would need.
    pub fn open(place: &Place, cx: &Cx) -> Result<ExecDialog, String> {
        let (Some(ctx), Some(cluster)) = (place.ctx, place.cluster.clone().filter(|_| ExecDialog::opens(place))) else {
            return Err("put the cursor on a service, a task or a container".to_owned());
        };
        let mut dialog = ExecDialog {
            place: place.clone(),
            ctx,
            cluster,
            tasks: Vec::new(),
            task: place.task.clone(),
            container: place.container.clone(),
            command: Command::Configured,
            configured: cx.config.exec.command.clone(),
            custom: Input::default(),
            focus: Focus::Cancel,
            production: Production::Unknown,
            checks: Vec::new(),
            audit: String::new(),
            sure: false,
            keys: 0,
            said: String::new(),
            scroll: 0,
        };
        dialog.choose(cx);
        Ok(dialog)
    }

    /// Whether there is anything at a place that a session could be opened to.
    pub fn opens(place: &Place) -> bool {
        place.ctx.is_some() && place.cluster.is_some() && (place.service.is_some() || place.task.is_some())
    }

    /// Opens it for where a session was: the same container of the same task, or of another one of the service when that is over.
    ///
    /// # Errors
    /// As [`ExecDialog::open`].
    pub fn again(target: &Target, cx: &Cx) -> Result<ExecDialog, String> {
        let task = Some(target.task.clone()).filter(|task| {
            target.service.is_none() || cx.store.task(target.ctx, &target.cluster, task).is_some_and(|task| !task.stopped())
        });
        let place = Place {
            ctx: Some(target.ctx),
            cluster: Some(target.cluster.clone()),
            service: target.service.clone(),
            task,
            container: Some(target.container.clone()),
            ..Place::default()
        };
        let mut dialog = ExecDialog::open(&place, cx)?;
        if target.command == PLAIN {
            dialog.command = Command::Plain;
        } else if target.command != dialog.configured {
            dialog.command = Command::Custom;
            dialog.custom.set(&target.command);
        }
        Ok(dialog)
    }

    pub fn ctx(&self) -> Ctx {
        self.ctx
    }

    pub fn cluster(&self) -> &Arn {
        &self.cluster
    }

    /// What its choice and its checks rest on.
    pub fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        out.push(Wanted::Poll { feed: Feed::Tasks(self.ctx, self.cluster.clone()), focus: true });
        out.push(Wanted::Poll { feed: Feed::Services(self.ctx, self.cluster.clone()), focus: false });
        if let Some(task) = self.chosen(cx) {
            let feeds = checks::feeds(cx.store, self.ctx, &self.cluster, &task.arn);
            let looks = self.container.iter().flat_map(|name| checks::looks(cx.store, self.ctx, &self.cluster, &task.arn, name));
            out.extend(feeds.into_iter().chain(looks).map(|feed| Wanted::Poll { feed, focus: false }));
        }
    }

    /// Takes in what is known now: the tasks that there are, and what stands in the way.
    pub fn look(&mut self, cx: &Cx, rules: &Rules) {
        self.choose(cx);
        self.production = cx.production(self.ctx, Some(&self.cluster));
        self.checks = self.checked(cx, rules);
    }

    fn choose(&mut self, cx: &Cx) {
        let store = cx.store;
        self.tasks = match (&self.place.task, &self.place.service) {
            (Some(task), _) => store.task(self.ctx, &self.cluster, task).cloned().into_iter().collect(),
            (None, Some(service)) => {
                let all = store.tasks_of(self.ctx, &self.cluster, service.name()).iter();
                let mut tasks: Vec<Arc<Task>> = all.filter(|task| !task.stopped()).cloned().collect();
                tasks.sort_by_key(|task| (task.status != TaskStatus::Running, std::cmp::Reverse(task.started_at)));
                tasks
            }
            (None, None) => Vec::new(),
        };
        if self.task.is_none() {
            self.task = self.tasks.first().map(|task| task.arn.clone());
        }
        let Some(task) = self.chosen(cx) else { return };
        if !self.container.as_ref().is_some_and(|name| task.containers.iter().any(|container| container.name == *name)) {
            let runs = |name: &&Str| task.containers.iter().any(|container| container.name == **name);
            let last = cx.shells.chosen(family(&task)).filter(runs).cloned();
            let essential = cx.store.definition(self.ctx, &task.task_definition);
            let essential = essential.and_then(|d| d.containers.iter().find(|container| container.essential)).map(|c| c.name.clone());
            self.container = last.or(essential).or(task.containers.first().map(|container| container.name.clone()));
        }
    }

    fn chosen(&self, cx: &Cx) -> Option<Arc<Task>> {
        let arn = self.task.as_ref()?;
        self.tasks.iter().find(|task| task.arn == *arn).or_else(|| cx.store.task(self.ctx, &self.cluster, arn)).cloned()
    }

    fn task(&self) -> Option<&Arc<Task>> {
        self.tasks.iter().find(|task| Some(&task.arn) == self.task.as_ref())
    }

    fn service(&self) -> Option<Arn> {
        self.place.service.clone().or_else(|| {
            // A task's group names its service; the ARN has the cluster's name in it.
            let name = self.task()?.service()?;
            Some(Arn::from(&*format!("{}/{name}", self.cluster.as_str().replacen(":cluster/", ":service/", 1))))
        })
    }

    fn command(&self) -> &str {
        match self.command {
            Command::Configured => &self.configured,
            Command::Plain => PLAIN,
            Command::Custom => self.custom.text().trim(),
        }
    }

    fn checked(&mut self, cx: &Cx, rules: &Rules) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut say = |weight, what: String, fix: &str| checks.push(Check { weight, what, fix: fix.to_owned() });
        let target = self.task.as_ref().map_or("", |task| task.as_str());
        if let Err(why) = rules.check(Asked { ctx: self.ctx, cluster: Some(&self.cluster), action: ACTION, target }, cx.now) {
            say(Weight::Blocker, why, "");
        }
        let Some(task) = self.task().cloned() else {
            let unread = cx.store.tasks(self.ctx, &self.cluster).is_none();
            let what = if unread { "its tasks are still being read" } else { "no task runs that a session could be opened in" };
            say(if unread { Weight::Reading } else { Weight::Blocker }, what.to_owned(), "");
            return checks;
        };
        let known = |name: &Str| {
            let mut facts = Facts::of(cx.store, self.ctx, &self.cluster, &task.arn, name)?;
            facts.failure = cx.shells.refused(&task.arn, name, cx.now).cloned();
            Some(facts)
        };
        let Some(facts) = self.container.as_ref().and_then(known) else {
            say(Weight::Reading, "its containers".to_owned(), "");
            return checks;
        };
        self.audit = checks::audit(&facts);
        // What may not be looked at for want of the same right is one line.
        let mut denied: Vec<(Str, Vec<&str>)> = Vec::new();
        for check in checks::checks(&facts) {
            let weight = match check.result {
                // Nobody who wants a shell needs it.
                Finding::Aside => continue,
                Finding::Passed => Weight::Fine,
                // What IAM's simulator or a route table says keeps nobody from trying.
                Finding::Failed { .. } if !check.surmise => Weight::Blocker,
                Finding::Failed { .. } | Finding::Warn { .. } => Weight::Warning,
                Finding::MayNotLook { .. } => Weight::Unknown,
                Finding::Unknown { .. } => Weight::Elsewhere,
                Finding::Reading => Weight::Reading,
            };
            if let Finding::MayNotLook { action, .. } = &check.result {
                match denied.iter_mut().find(|(known, _)| known == action) {
                    Some((_, whats)) => whats.push(check.what),
                    None => denied.push((action.clone(), vec![check.what])),
                }
                continue;
            }
            let advice = check.advice().unwrap_or_default();
            let alone = matches!(weight, Weight::Blocker | Weight::Warning);
            say(weight, if alone { format!("{}: {}", check.what, check.told) } else { check.what.to_owned() }, &advice);
        }
        for (action, whats) in denied {
            let what = format!("{}: may not look: AccessDenied for {action}", whats.join(", "));
            say(Weight::Unknown, what, "ask for it, or let midwatch doctor say what somebody else can run");
        }
        if self.command().is_empty() {
            say(Weight::Blocker, "there is no command".to_owned(), "type one");
        }
        checks
    }

    /// Why nothing can be opened.
    fn hindered(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.weight == Weight::Blocker).or_else(|| self.checks.iter().find(|_| self.task().is_none()))
    }

    /// Whether exec can be switched on for the service of a task that has none.
    fn enables(&self) -> Option<Arn> {
        self.task().filter(|task| !task.exec_enabled)?;
        self.service()
    }

    /// The line of AWS's own tool.
    fn cli(&self, cx: &Cx) -> String {
        let region = &cx.fleet.context(self.ctx).region;
        let task = self.task.as_ref().map_or("?", |task| task.name());
        let container = self.container.as_deref().unwrap_or("?");
        format!(
            "aws ecs execute-command --cluster {} --task {} --container {} --interactive --command {} --region {region}",
            quoted(self.cluster.name()),
            quoted(task),
            quoted(container),
            quoted(self.command())
        )
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key, cx: &Cx) -> Answer {
        self.keys += 1;
        self.sure = false;
        self.said.clear();
        if key.code == Code::Esc || (key.ctrl && key.code == Code::Char('c')) {
            return Answer::Close;
        }
        match key.code {
            Code::Enter if self.focus == Focus::Cancel => return Answer::Close,
            Code::Down | Code::Enter => self.turn(true),
            Code::Tab => self.turn(!key.shift),
            Code::Up => self.turn(false),
            Code::PageDown => self.scroll += 6,
            Code::PageUp => self.scroll = self.scroll.saturating_sub(6),
            _ if self.focus == Focus::Custom => drop(self.custom.key(key)),
            Code::Left => self.pick(false, cx),
            Code::Right => self.pick(true, cx),
            _ => return self.letter(key, cx),
        }
        Answer::Stay
    }

    /// Pasted text is a command to be typed, and confirms nothing.
    pub fn paste(&mut self, text: &str) {
        if self.focus == Focus::Custom {
            self.custom.paste(text);
        }
    }

    fn turn(&mut self, forward: bool) {
        let mut stops = vec![Focus::Task, Focus::Container, Focus::Command];
        if self.command == Command::Custom {
            stops.push(Focus::Custom);
        }
        stops.push(Focus::Cancel);
        let at = stops.iter().position(|stop| *stop == self.focus).unwrap_or(stops.len() - 1);
        self.focus = stops[(at + if forward { 1 } else { stops.len() - 1 }) % stops.len()];
    }

    /// Moves the choice of the row that has the focus.
    fn pick(&mut self, forward: bool, cx: &Cx) {
        let step = |at: Option<usize>, count: usize| {
            let at = at.unwrap_or(0);
            if forward { (at + 1).min(count.saturating_sub(1)) } else { at.saturating_sub(1) }
        };
        match self.focus {
            Focus::Task => {
                let at = self.tasks.iter().position(|task| Some(&task.arn) == self.task.as_ref());
                self.task = self.tasks.get(step(at, self.tasks.len())).map(|task| task.arn.clone());
            }
            Focus::Container => {
                let Some(task) = self.chosen(cx) else { return };
                let at = task.containers.iter().position(|container| Some(&container.name) == self.container.as_ref());
                self.container = task.containers.get(step(at, task.containers.len())).map(|container| container.name.clone());
            }
            Focus::Command => {
                let all = [Command::Configured, Command::Plain, Command::Custom];
                self.command = all[step(all.iter().position(|command| *command == self.command), all.len())];
            }
            Focus::Custom | Focus::Cancel => {}
        }
    }

    fn letter(&mut self, key: Key, cx: &Cx) -> Answer {
        match key.typed() {
            Some('x') => match self.hindered() {
                Some(check) => self.said = format!("cannot be opened: {}", check.what),
                None => self.sure = true,
            },
            Some('c') => return Answer::Copy(self.cli(cx)),
            Some('e') => match self.enables() {
                Some(service) => return Answer::Enable(service),
                None => "exec is on for this task, or no service started it".clone_into(&mut self.said),
            },
            Some(_) => "x opens it · ⇥ and arrows choose · esc leaves it".clone_into(&mut self.said),
            None => {}
        }
        Answer::Stay
    }

    /// No more keys wait: hands over what was confirmed by a key that came alone.
    pub fn rest(&mut self) -> Option<Target> {
        let alone = std::mem::take(&mut self.keys) == 1;
        if !std::mem::take(&mut self.sure) {
            return None;
        }
        if !alone {
            "keys that come all at once confirm nothing: press it once more".clone_into(&mut self.said);
            return None;
        }
        let task = self.task()?;
        Some(Target {
            ctx: self.ctx,
            cluster: self.cluster.clone(),
            service: self.service(),
            task: task.arn.clone(),
            family: family(task).into(),
            container: self.container.clone()?,
            command: self.command().to_owned(),
        })
    }
}

fn family(task: &Task) -> &str {
    let name = task.task_definition.name();
    name.rsplit_once(':').map_or(name, |(family, _)| family)
}
