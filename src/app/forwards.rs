//! Port forwards, from the line of ports to the end. What is to be done goes out as [`Effect::Forward`]; nothing here listens or dials.

use super::{App, Effect};
use crate::change::gate::Asked;
use crate::exec::forwards::{Heard, Target};
use crate::view::Tone;

/// IAM's word for what opens a port session.
const ACTION: &str = "ssm:StartSession";

impl App {
    /// Opens a forward, if the gate for writes lets it through.
    pub(super) fn forward_to(&mut self, target: Target) -> Vec<Effect> {
        let now = self.shared.now;
        let asked = Asked { ctx: target.ctx, cluster: Some(&target.cluster), action: ACTION, target: &target.id };
        if let Err(why) = self.rules.check(asked, now) {
            self.tell(Tone::Warn, format!("forward: {why}"));
            return Vec::new();
        }
        let order = self.shared.store.forwards_mut().open(target, now);
        self.show();
        vec![Effect::Forward(Box::new(order))]
    }

    /// Ends a forward, or forgets one that is over.
    pub(super) fn end_forward(&mut self, id: u64) -> Vec<Effect> {
        let forwards = self.shared.store.forwards_mut();
        let over = forwards.get(id).is_none_or(crate::exec::forwards::Forward::over);
        forwards.forget(id);
        self.show();
        if over { Vec::new() } else { vec![Effect::EndForward(id)] }
    }

    /// Takes in what was told of a forward.
    pub(super) fn heard_forward(&mut self, id: u64, heard: Heard) {
        if let Some((bad, text)) = self.shared.store.forwards_mut().heard(id, heard) {
            self.tell(if bad { Tone::Warn } else { Tone::Info }, text);
        }
        if self.views.last().is_some_and(|view| view.name() == "forwards") {
            self.show();
        }
    }
}
