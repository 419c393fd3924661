//! Keys and what they mean: the default keymap is an embedded file, the user's is a patch over it, and help and hints are made from the result.
//!
//! One keymap for tables, one for text. Knows neither what is on screen nor what an action does.

mod key;
mod mouse;

pub use key::{Burst, Code, Key, Verdict};
pub use mouse::{Button, Pointed, Pointing};

use crate::action::{ACTIONS, Action, Kind, Risk, Scope};
use crate::settings::{self, Entry, Section};
use std::collections::HashMap;

const DEFAULTS: &str = include_str!("keys.toml");

/// Without these nobody finds the way out.
const ESSENTIAL: &[Action] = &[Action::Back, Action::Quit, Action::Cancel];

/// The tables of the file, in the order of [`Place`].
const PLACES: &[&str] = &["global", "table", "text"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Global,
    Table,
    Text,
}

impl Place {
    fn named(name: &str) -> Option<Place> {
        [Place::Global, Place::Table, Place::Text].into_iter().find(|place| PLACES[*place as usize] == name)
    }

    fn holds(self, scope: Scope) -> bool {
        match self {
            Place::Global => scope == Scope::Global,
            Place::Table => matches!(scope, Scope::Table | Scope::Both | Scope::Menu),
            Place::Text => matches!(scope, Scope::Text | Scope::Both),
        }
    }
}

/// Which key does what.
#[derive(Clone, Debug)]
pub struct Keymap {
    bound: HashMap<(Place, Action), Vec<Key>>,
    table: HashMap<Key, Action>,
    text: HashMap<Key, Action>,
}

impl Default for Keymap {
    fn default() -> Keymap {
        let none = Keymap { bound: HashMap::new(), table: HashMap::new(), text: HashMap::new() };
        settings::read("keys.toml", DEFAULTS, |top| none.patched(&top)).expect("the embedded keymap is sound; a test reads it")
    }
}

impl Keymap {
    /// This keymap with the user's `[keys]` on top.
    ///
    /// # Errors
    /// Unknown actions and keys, a key that means two things, and a way out that would have no key left, each with its place.
    pub fn patched(mut self, keys: &Section<'_>) -> Result<Keymap, settings::Error> {
        // Where each key that the patch names stands, so that a clash can point at it.
        let mut named: HashMap<(Place, Key), Entry<'_>> = HashMap::new();
        for part in keys.entries() {
            let place = Place::named(part.name).ok_or_else(|| part.unknown("table of keys", PLACES.iter().copied()))?;
            for entry in part.section()?.entries() {
                let action = action(&entry, place)?;
                let mut bound = Vec::new();
                for element in entry.elements() {
                    let key = key(&element, action)?;
                    if let Some(first) = named.get(&(place, key)) {
                        return Err(element.error(format!("{key} is bound twice: it is also {}", first.name)));
                    }
                    named.insert((place, key), element.clone());
                    bound.push(key);
                }
                if bound.is_empty() && ESSENTIAL.contains(&action) {
                    return Err(entry.error(format!("{} must keep a key", entry.name)));
                }
                self.bound.insert((place, action), bound);
            }
        }
        self.refuse_clashes(&named)?;
        self.table = self.effective(Place::Table);
        self.text = self.effective(Place::Text);
        Ok(self)
    }

    fn refuse_clashes(&self, named: &HashMap<(Place, Key), Entry<'_>>) -> Result<(), settings::Error> {
        let mut seen: HashMap<(Place, Key), Action> = HashMap::new();
        for row in ACTIONS {
            for place in [Place::Global, Place::Table, Place::Text] {
                for key in self.bound.get(&(place, row.action)).into_iter().flatten() {
                    // Digits are ranges in text and panes elsewhere; nothing else may hide a global key.
                    let over = seen.get(&(Place::Global, *key)).filter(|a| place != Place::Global && !matches!(a, Action::Pane(_)));
                    let Some(other) = over.or_else(|| seen.get(&(place, *key))).copied() else {
                        seen.insert((place, *key), row.action);
                        continue;
                    };
                    let entry = [(place, row.action), (place, other), (Place::Global, other)]
                        .iter()
                        .find_map(|(at, action)| named.get(&(*at, *key)).filter(|entry| entry.name == action.row().name));
                    let entry = entry.expect("the defaults do not clash among themselves; a test reads them");
                    let taken = if entry.name == row.name { other } else { row.action }.row().name;
                    return Err(entry.error(format!("{key} is already {taken}: give {taken} another key, or none with {taken} = []")));
                }
            }
        }
        Ok(())
    }

    fn effective(&self, kind: Place) -> HashMap<Key, Action> {
        let mut map = HashMap::new();
        for place in [Place::Global, kind] {
            for row in ACTIONS {
                for key in self.bound.get(&(place, row.action)).into_iter().flatten() {
                    map.insert(*key, row.action);
                }
            }
        }
        map
    }

    /// What a key means in a view of that kind.
    #[must_use]
    pub fn action(&self, kind: Kind, key: Key) -> Option<Action> {
        self.of(kind).get(&key).copied()
    }

    /// The keys of an action in a view of that kind, as they are shown, the first choice first.
    #[must_use]
    pub fn keys_of(&self, action: Action, kind: Kind) -> Vec<String> {
        self.bindings(action, kind).into_iter().map(Key::label).collect()
    }

    /// The first choice for an action, for hints; `None` when the user took its keys away.
    #[must_use]
    pub fn key_of(&self, action: Action, kind: Kind) -> Option<String> {
        self.bindings(action, kind).first().map(|key| key.label())
    }

    fn bindings(&self, action: Action, kind: Kind) -> Vec<Key> {
        let own = if kind == Kind::Table { Place::Table } else { Place::Text };
        let effective = self.of(kind);
        [own, Place::Global]
            .iter()
            .filter_map(|place| self.bound.get(&(*place, action)))
            .flatten()
            .filter(|key| effective.get(key) == Some(&action))
            .copied()
            .collect()
    }

    fn of(&self, kind: Kind) -> &HashMap<Key, Action> {
        match kind {
            Kind::Table => &self.table,
            Kind::Text => &self.text,
        }
    }
}

fn action(entry: &Entry<'_>, place: Place) -> Result<Action, settings::Error> {
    let here = ACTIONS.iter().filter(|row| place.holds(row.scope)).map(|row| row.name);
    let Some(action) = Action::named(entry.name) else {
        return Err(entry.unknown("action", here));
    };
    let scope = action.row().scope;
    if place.holds(scope) {
        return Ok(action);
    }
    let right = match scope {
        Scope::Global => "[keys.global]",
        Scope::Table | Scope::Menu => "[keys.table]",
        Scope::Text => "[keys.text]",
        Scope::Both => "[keys.table] or [keys.text]",
    };
    Err(entry.error(format!("{} belongs in {right}", entry.name)))
}

fn key(element: &Entry<'_>, action: Action) -> Result<Key, settings::Error> {
    let name = element.string()?;
    let key: Key = name.parse().map_err(|what| element.error(what))?;
    // A slip beside Ctrl must never change anything at AWS.
    if key.ctrl && action.row().risk != Risk::Read {
        return Err(element.error(format!("{key} cannot be {}: Ctrl with a letter never changes anything at AWS", element.name)));
    }
    Ok(key)
}

#[cfg(test)]
mod tests;
