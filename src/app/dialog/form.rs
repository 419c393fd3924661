//! The lines to fill in of a dialog: a count, a range, a command, minutes. What stands in them is a wish, or a word why it is none.

use super::words;
use crate::action::Action;
use crate::change::plans::RangeChoice;
use crate::change::{Verb, Wish};
use crate::keys::{Code, Key};
use crate::model::{Arn, Str, Suspended};
use crate::ui::input::Input;

/// What is to be filled in.
pub enum Form {
    /// Nothing: all was chosen before.
    Fixed(Wish),
    /// How many tasks, and outside the range what becomes of it. Of several services each is counted from its own.
    Count {
        /// Digits; with a sign before them so many more or fewer.
        line: Line,
        /// As it is, and the range where there is one: for the presets.
        now: u32,
        range: Option<(u32, u32)>,
        /// What is chosen of `choices`, which are there only outside the range.
        choice: RangeChoice,
        choices: Vec<(RangeChoice, String)>,
    },
    /// Fewest, most, and what is switched off.
    Range { min: Line, max: Line, off: Suspended },
    /// Words of a command in place of the revision's own.
    Command { revision: Arn, container: Str, line: Line },
    /// Minutes of protection.
    Minutes(Line),
    /// What it is filled in with is being read: then it becomes one of the others.
    Unread(Action),
}

/// A line to fill in.
pub struct Line {
    pub label: &'static str,
    pub input: Input,
    /// Digits alone; then letters are commands while one types.
    pub digits: bool,
    /// Nothing was typed yet, so that the first digit replaces what stands there.
    fresh: bool,
    /// Takes a sign as well: what stands there is a difference then.
    signed: bool,
}

/// What a difference starts with.
const NO_DIFFERENCE: &str = "+0";

/// The most digits of a count: AWS counts tasks in 32 bits.
const DIGITS: usize = 10;

impl Line {
    fn number(label: &'static str, start: u32) -> Line {
        Line { label, input: Input::new(&start.to_string()), digits: true, fresh: true, signed: false }
    }

    /// A difference, nothing at first.
    fn difference(label: &'static str) -> Line {
        Line { label, input: Input::new(NO_DIFFERENCE), digits: true, fresh: true, signed: true }
    }

    /// So many more or fewer, where a sign stands before the digits.
    fn by(&self) -> Option<Result<i32, String>> {
        let text = self.input.text();
        let wrong = || format!("{}: type digits after the sign", self.label);
        text.starts_with(['+', '-']).then(|| text.parse().map_err(|_| wrong()))
    }

    fn value(&self) -> Result<u32, String> {
        let text = self.input.text();
        if text.is_empty() {
            return Err(format!("{}: type a number", self.label));
        }
        // Digits alone come in, so only what AWS cannot count is refused here: its counts have 31 bits and a sign.
        text.parse::<i32>()
            .ok()
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| format!("{}: {text} is more than ECS can count", self.label))
    }

    fn set(&mut self, value: u32) {
        self.input.set(&value.to_string());
        self.fresh = true;
    }

    /// Takes a key; returns whether it was one for the line.
    pub fn key(&mut self, key: Key) -> bool {
        if !self.digits {
            self.input.key(key);
            return true;
        }
        match (key.code, key.typed()) {
            (_, Some(digit)) if digit.is_ascii_digit() => {
                if std::mem::take(&mut self.fresh) {
                    // A sign that was typed stays before what follows it.
                    let sign = self.input.text().get(..1).filter(|sign| self.input.text() != NO_DIFFERENCE && "+-".contains(sign));
                    let sign = sign.unwrap_or_default().to_owned();
                    self.input.set(&sign);
                }
                if self.input.text().trim_start_matches(['+', '-']).len() < DIGITS {
                    self.input.key(key);
                }
                true
            }
            (_, Some('+')) => self.step(1),
            (_, Some('-')) => self.step(-1),
            (Code::Backspace | Code::Delete | Code::Left | Code::Right | Code::Home | Code::End, _) => {
                self.fresh = false;
                self.input.key(key);
                true
            }
            _ if key.ctrl => {
                self.input.key(key);
                true
            }
            _ => false,
        }
    }

    fn step(&mut self, by: i64) -> bool {
        if self.signed {
            let known = self.by().and_then(Result::ok).map_or(0, i64::from);
            self.input.set(&format!("{:+}", known + by));
            self.fresh = true;
            return true;
        }
        let value = self.value().map_or(0, i64::from) + by;
        self.set(u32::try_from(value.max(0)).unwrap_or(u32::MAX));
        true
    }
}

impl Form {
    /// A count that starts as it is.
    pub fn count(now: u32, range: Option<(u32, u32)>) -> Form {
        Form::Count { line: Line::number("desired", now), now, range, choice: RangeChoice::Once, choices: Vec::new() }
    }

    /// A count for several services: so many more or fewer of each, or one count for all of them.
    pub fn count_of_many() -> Form {
        Form::Count { line: Line::difference("desired"), now: 0, range: None, choice: RangeChoice::Once, choices: Vec::new() }
    }

    /// A range that starts as it is.
    pub fn range((min, max): (u32, u32), off: Suspended) -> Form {
        Form::Range { min: Line::number("min", min), max: Line::number("max", max), off }
    }

    /// A command, empty for the revision's own.
    pub fn command(revision: Arn, container: Str) -> Form {
        Form::Command {
            revision,
            container,
            line: Line { label: "command", input: Input::new(""), digits: false, fresh: false, signed: false },
        }
    }

    /// Minutes; AWS protects for two hours when none are said.
    pub fn minutes() -> Form {
        Form::Minutes(Line::number("minutes", 120))
    }

    /// What is filled in, or why it is nothing yet.
    pub fn wish(&self) -> Result<Wish, String> {
        match self {
            Form::Fixed(wish) => Ok(wish.clone()),
            Form::Count { line, choice, .. } => match line.by() {
                Some(by) => Ok(Wish::ScaleBy(by?, *choice)),
                None => Ok(Wish::Scale(line.value()?, *choice)),
            },
            Form::Range { min, max, off } => match (min.value()?, max.value()?) {
                (min, max) if min > max => Err(format!("min {min} is more than max {max}")),
                (min, max) => Ok(Wish::ScalingRange(min, max, *off)),
            },
            Form::Command { revision, container, line } => {
                let words = words::split(line.input.text()).map_err(|why| format!("command: {why}"))?;
                let command = (!words.is_empty()).then(|| (container.clone(), words));
                Ok(Wish::RunTask(revision.clone(), command))
            }
            Form::Minutes(line) => match line.value()? {
                minutes @ 1..=2880 => Ok(Wish::Protect(Some(minutes))),
                _ => Err("minutes: ECS protects for 1 to 2880".to_owned()),
            },
            Form::Unread(_) => Err("still reading how it is now".to_owned()),
        }
    }

    /// What it is about, whatever is filled in.
    pub fn verb(&self) -> Verb {
        match self {
            Form::Fixed(wish) => wish.verb(),
            Form::Count { .. } => Verb::Scale,
            Form::Range { .. } => Verb::ScalingRange,
            Form::Command { .. } => Verb::RunTask,
            Form::Minutes(_) => Verb::Protect,
            Form::Unread(action) => super::verb(*action).unwrap_or(Verb::Scale),
        }
    }

    /// Its lines, from top to bottom.
    pub fn lines(&self) -> Vec<&Line> {
        match self {
            Form::Fixed(_) | Form::Unread(_) => Vec::new(),
            Form::Count { line, .. } | Form::Command { line, .. } | Form::Minutes(line) => vec![line],
            Form::Range { min, max, .. } => vec![min, max],
        }
    }

    /// The same, to be filled in.
    pub fn line_mut(&mut self, n: usize) -> Option<&mut Line> {
        match self {
            Form::Fixed(_) | Form::Unread(_) => None,
            Form::Count { line, .. } | Form::Command { line, .. } | Form::Minutes(line) => Some(line).filter(|_| n == 0),
            Form::Range { min, max, .. } => [min, max].into_iter().nth(n),
        }
    }

    /// Letters that fill it in, each with its word: shown beside the line.
    pub fn presets(&self) -> Vec<(char, String)> {
        match self {
            // What is double differs from one to the next.
            Form::Count { line, .. } if line.signed => vec![('z', "0 stop".to_owned())],
            Form::Count { now, range, .. } => {
                let double = now.saturating_mul(2);
                // Half of one is one, and twice nothing is nothing.
                let mut presets = Vec::new();
                presets.extend((*now > 0).then(|| ('d', format!("×2 {double}"))));
                presets.extend((*now > 1).then(|| ('h', format!("half {}", now.div_ceil(2)))));
                if let Some((min, max)) = range {
                    presets.extend([('n', format!("min {min}")), ('m', format!("max {max}"))]);
                }
                presets.push(('z', "0 stop".to_owned()));
                presets
            }
            Form::Range { off, .. } => {
                let word = |what: &str, off: bool| format!("{what} {}", if off { "suspended" } else { "on" });
                vec![
                    ('i', word("scale-in", off.scale_in)),
                    ('o', word("scale-out", off.scale_out)),
                    ('s', word("scheduled", off.scheduled)),
                ]
            }
            _ => Vec::new(),
        }
    }

    /// The choices outside the range, with their letters and whether each is chosen.
    pub fn choices(&self) -> Vec<(char, bool, &str)> {
        let Form::Count { choice, choices, .. } = self else { return Vec::new() };
        choices.iter().map(|(other, words)| (letter(*other), other == choice, words.as_str())).collect()
    }

    /// Takes a letter of a preset or a choice; returns whether it was one.
    pub fn letter(&mut self, letter: char) -> bool {
        match self {
            Form::Count { line, now, range, choice, choices } => {
                if let Some((chosen, _)) = choices.iter().find(|(choice, _)| self::letter(*choice) == letter) {
                    *choice = *chosen;
                    return true;
                }
                let value = match (letter, range) {
                    ('d' | 'h', _) if line.signed => return false,
                    ('d', _) => now.saturating_mul(2),
                    ('h', _) => now.div_ceil(2),
                    ('z', _) => 0,
                    ('n', Some((min, _))) => *min,
                    ('m', Some((_, max))) => *max,
                    _ => return false,
                };
                line.set(value);
                true
            }
            Form::Range { off, .. } => {
                let switch = match letter {
                    'i' => &mut off.scale_in,
                    'o' => &mut off.scale_out,
                    's' => &mut off.scheduled,
                    _ => return false,
                };
                *switch = !*switch;
                true
            }
            _ => false,
        }
    }

    /// Moves the choice up or down; returns whether there is one.
    pub fn choose(&mut self, by: isize) -> bool {
        let Form::Count { choice, choices, .. } = self else { return false };
        let Some(at) = choices.iter().position(|(other, _)| other == choice) else { return false };
        let to = at.saturating_add_signed(by).min(choices.len() - 1);
        *choice = choices[to].0;
        true
    }

    /// Takes what can be chosen for the count as it is filled in; what was chosen stays while it is offered.
    pub fn offer(&mut self, offered: Vec<(RangeChoice, String)>) {
        if let Form::Count { choice, choices, .. } = self {
            if !offered.iter().any(|(other, _)| other == choice) {
                *choice = RangeChoice::Once;
            }
            *choices = offered;
        }
    }
}

fn letter(choice: RangeChoice) -> char {
    match choice {
        RangeChoice::Once => 'o',
        RangeChoice::ChangeRange => 'r',
        RangeChoice::Suspend => 's',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(form: &mut Form, keys: &str) {
        for key in keys.split_whitespace() {
            form.line_mut(0).expect("a line").key(key.parse().expect("a key"));
        }
    }

    fn count(keys: &str) -> Result<Wish, String> {
        let mut form = Form::count(6, Some((4, 12)));
        typed(&mut form, keys);
        form.wish()
    }

    #[test]
    fn a_count_is_digits_and_nothing_else() {
        let wish = |n| Ok(Wish::Scale(n, RangeChoice::Once));
        for (keys, wanted) in [
            ("", wish(6)),
            ("2 0", wish(20)),
            ("+ +", wish(8)),
            ("- - - - - - - -", wish(0)),
            ("- 1 2", wish(12)),
            ("a b . 3", wish(3)),
            ("backspace 7", wish(7)),
        ] {
            assert_eq!(count(keys), wanted, "{keys}");
        }
    }

    #[test]
    fn no_count_and_too_great_a_count_are_no_wish() {
        assert!(count("backspace").is_err_and(|why| why.contains("type a number")));
        assert!(count("2 1 4 7 4 8 3 6 4 8").is_err_and(|why| why.contains("more than ECS can count")));
        assert_eq!(count("2 1 4 7 4 8 3 6 4 7"), Ok(Wish::Scale(2_147_483_647, RangeChoice::Once)));
    }

    #[test]
    fn letters_fill_the_count_in() {
        let mut form = Form::count(6, Some((4, 12)));
        for (letter, n) in [('d', 12), ('h', 3), ('n', 4), ('m', 12), ('z', 0)] {
            assert!(form.letter(letter), "{letter}");
            assert_eq!(form.wish(), Ok(Wish::Scale(n, RangeChoice::Once)), "{letter}");
        }
        assert!(!form.letter('x'));
        let mut without = Form::count(6, None);
        assert!(!without.letter('m'), "there is no range");
    }

    #[test]
    fn of_several_a_sign_counts_from_each_ones_own() {
        let many = |keys: &str| {
            let mut form = Form::count_of_many();
            typed(&mut form, keys);
            form.wish()
        };
        let by = |n| Ok(Wish::ScaleBy(n, RangeChoice::Once));
        for (keys, wanted) in
            [("", by(0)), ("+", by(1)), ("+ +", by(2)), ("- -", by(-2)), ("+ -", by(0)), ("+ 1 2", by(12)), ("- 5", by(-5))]
        {
            assert_eq!(many(keys), wanted, "{keys}");
        }
        assert_eq!(many("3"), Ok(Wish::Scale(3, RangeChoice::Once)), "without a sign it is one count for all");
        assert_eq!(many("+ 5 backspace backspace 4"), Ok(Wish::Scale(4, RangeChoice::Once)));
        assert!(many("+ backspace").is_err_and(|why| why.contains("digits after the sign")));
        let mut form = Form::count_of_many();
        assert!(!form.letter('d') && form.letter('z'));
        assert_eq!(form.wish(), Ok(Wish::Scale(0, RangeChoice::Once)));
    }

    #[test]
    fn a_choice_stays_while_it_is_offered() {
        let mut form = Form::count(6, Some((4, 12)));
        let both = || vec![(RangeChoice::Once, "once".to_owned()), (RangeChoice::Suspend, "suspend".to_owned())];
        form.offer(both());
        assert!(form.choose(1) && form.letter('s'));
        form.offer(both());
        assert_eq!(form.wish(), Ok(Wish::Scale(6, RangeChoice::Suspend)));
        form.offer(Vec::new());
        assert_eq!(form.wish(), Ok(Wish::Scale(6, RangeChoice::Once)), "inside the range nothing is suspended");
    }

    #[test]
    fn a_range_is_in_its_order_and_minutes_are_those_of_ecs() {
        assert!(Form::range((5, 4), Suspended::default()).wish().is_err_and(|why| why == "min 5 is more than max 4"));
        let mut minutes = Form::minutes();
        assert_eq!(minutes.wish(), Ok(Wish::Protect(Some(120))));
        typed(&mut minutes, "2 8 8 1");
        assert!(minutes.wish().is_err());
    }
}
