//! An image for a service that the role may update and not read: the operator names the task definition to clone, and the image.
//!
//! It lists nothing, for nothing may be listed. What the task definition holds is read where the role may read that.

use super::typed;
use crate::action::Action;
use crate::change::plans;
use crate::change::{Target, Wish};
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, ImageUri, Str};
use crate::theme::Role;
use crate::ui::frame;
use crate::view::{Cx, Kind, Place, Prompt, Reaction, Subject, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;

/// Letters that pick a container.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// The menu of containers.
const CONTAINERS: &str = "container";

/// What is known without reading the service.
pub struct Blind {
    target: Target,
    /// What is cloned: a revision, or a family, which means its newest.
    base: Option<Arn>,
    /// The container that an image is being typed for, with the image that it has.
    asked: Option<(Str, Str)>,
}

impl Blind {
    pub fn open(target: Target) -> Self {
        Blind { target, base: None, asked: None }
    }

    /// Containers of the base and their images.
    fn containers(&self, cx: &Cx) -> Vec<(Str, Str)> {
        let Some(reply) = self.base.as_ref().and_then(|base| cx.store.raw_definition(self.target.ctx, base)) else { return Vec::new() };
        let text = |value: &Value| crate::text::clean(value.as_str().unwrap_or_default());
        let all = reply["taskDefinition"]["containerDefinitions"].as_array().into_iter().flatten();
        all.map(|own| (text(&own["name"]), text(&own["image"]))).collect()
    }

    fn ask_image(&mut self, container: Str, image: Str) -> Reaction {
        let start = ImageUri::parse(&image).tag.map_or(String::new(), |tag| tag.to_string());
        self.asked = Some((container, image));
        Reaction::Ask(Prompt::Image, start)
    }

    fn words(&self, cx: &Cx) -> Vec<String> {
        let name = self.target.arn.name();
        let action = plans::may_not_be_read(&super::facts(&self.target, cx), &self.target.arn).unwrap_or("ecs:DescribeServices");
        let mut words = vec![format!("What {name} runs may not be read ({action}).")];
        let Some(base) = &self.base else {
            words.push("⏎ names the task definition to clone: a family, which means its newest revision, or family:revision".to_owned());
            return words;
        };
        let containers = self.containers(cx);
        match cx.store.error(&Feed::RawDefinition(self.target.ctx, base.clone())) {
            Some(error) if containers.is_empty() => words.push(format!("{} · ⏎ names another one", error.what)),
            _ if containers.is_empty() => words.push(format!("reading {} …", base.name())),
            _ => {
                let own = |(name, image): &(Str, Str)| format!("{name}  {image}");
                words.push(format!("{} is cloned:", base.name()));
                words.extend(containers.iter().map(own));
                words.push("⏎ types the image to run instead".to_owned());
            }
        }
        words
    }
}

impl View for Blind {
    fn name(&self) -> &'static str {
        "deploy"
    }

    fn kind(&self) -> Kind {
        Kind::Text
    }

    fn crumb(&self, _: &Cx) -> String {
        format!("{} › {} › deploy", self.target.cluster.name(), self.target.arn.name())
    }

    fn wanted(&self, _: &Cx, out: &mut Vec<Wanted>) {
        out.push(Wanted::Poll { feed: Feed::Identity(self.target.ctx), focus: false });
        if let Some(base) = &self.base {
            out.push(Wanted::Poll { feed: Feed::RawDefinition(self.target.ctx, base.clone()), focus: true });
        }
    }

    fn sync(&mut self, _: &Cx, _: &[Feed]) {}

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        if action != Action::Open {
            return Reaction::Ignored;
        }
        match self.containers(cx).as_slice() {
            [] => Reaction::Ask(Prompt::Family, self.base.as_ref().map_or("", Arn::name).to_owned()),
            [(container, image)] => self.ask_image(container.clone(), image.clone()),
            many => Reaction::Choose(
                CONTAINERS,
                LETTERS
                    .chars()
                    .zip(many)
                    .map(|(letter, (name, image))| (letter, format!("{name}  {}", ImageUri::parse(image).short())))
                    .collect(),
            ),
        }
    }

    fn choose(&mut self, title: &'static str, letter: char, cx: &Cx) -> Reaction {
        let at = LETTERS.find(letter).filter(|_| title == CONTAINERS);
        match at.and_then(|at| self.containers(cx).into_iter().nth(at)) {
            Some((container, image)) => self.ask_image(container, image),
            None => Reaction::Ignored,
        }
    }

    fn input(&mut self, prompt: Prompt, text: &str, done: bool, _: &Cx) -> Reaction {
        if !done || text.trim().is_empty() {
            return Reaction::Redraw;
        }
        match (prompt, self.asked.clone(), &self.base) {
            (Prompt::Family, ..) => match super::definition_named(&self.target.arn, text) {
                Ok(base) => {
                    self.base = Some(base);
                    Reaction::Redraw
                }
                Err(why) => Reaction::Refuse(why),
            },
            (Prompt::Image, Some((container, current)), Some(base)) => match typed(text, &current) {
                Ok(image) => {
                    let wish = Wish::DeployClone { base: base.clone(), images: vec![(container, image.into())] };
                    Reaction::Change(vec![self.target.clone()], Box::new(wish))
                }
                Err(why) => Reaction::Refuse(why),
            },
            _ => Reaction::Ignored,
        }
    }

    fn peel(&mut self, _: &Cx) -> bool {
        self.base.take().is_some()
    }

    fn subject(&self, _: &Cx) -> Subject {
        let Target { ctx, cluster, arn } = &self.target;
        let place = Place { ctx: Some(*ctx), cluster: Some(cluster.clone()), service: Some(arn.clone()), ..Place::default() };
        Subject { place, copies: vec![('a', "service ARN", arn.to_string())], ghost: false }
    }

    fn ages(&self, _: &Cx) -> Option<u32> {
        None
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        frame::draw(area, buf, cx.theme, &format!("Image to deploy to {}", self.target.arn.name()), &(String::new(), Role::Dim));
        let inner = Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height.saturating_sub(2) };
        frame::message(inner, buf, cx.theme, &self.words(cx));
    }

    fn status(&self, _: &Cx) -> String {
        String::new()
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::Open, Action::Copy]
    }

    fn can(&self, action: Action, _: &Cx) -> Option<bool> {
        match action {
            Action::Open => Some(true),
            Action::Back => Some(self.base.is_some()),
            _ if action.row().scope == crate::action::Scope::Text => Some(false),
            _ => None,
        }
    }
}
