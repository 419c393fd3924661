//! What the program has said so far: notices and errors, newest last.

use super::Pane;
use crate::action::Action;
use crate::theme::Role;
use crate::ui::age;
use crate::ui::text_view::{TextSpec, TextView};
use crate::view::{Place, Tone};
use std::borrow::Cow;

/// The pane.
pub const PANE: Pane = Pane {
    name: "messages",
    help: "Past messages and errors of this session",
    action: Some(Action::Messages),
    open: |_, _| Ok(Box::new(TextView::open(&SPEC, Place::default()))),
};

const SPEC: TextSpec = TextSpec {
    name: "messages",
    crumb: |_, _| "messages".to_owned(),
    wanted: |_, _, _| {},
    lines: |_, cx| {
        let said = cx.store.messages();
        if said.is_empty() {
            return Some(vec![vec![(Cow::Borrowed("nothing has been said yet"), Role::Dim)]]);
        }
        let line = |(at, notice): &(crate::model::Time, crate::view::Notice)| {
            let role = match notice.tone {
                Tone::Info => Role::Text,
                Tone::Warn => Role::Warn,
                Tone::Fail => Role::Fail,
            };
            vec![(Cow::Owned(format!("{}  ", age::clock(*at, cx))), Role::Dim), (Cow::Owned(notice.text.clone()), role)]
        };
        Some(said.iter().map(line).collect())
    },
    sources: |_, _| Vec::new(),
    wrap: true,
    hints: |_| &[Action::Search, Action::Wrap, Action::Copy, Action::Save],
};
