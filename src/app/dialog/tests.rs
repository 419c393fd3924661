//! The dialog held to what an operator may do to it by accident: the key that opened it, Enter, a held key, a pasted text, a plan that
//! became another one.

use super::*;
use crate::app::Shared;
use crate::change::{Basis, Call, Change, Note, ServiceChange, Step};
use crate::config::Config;
use crate::model::{Arn, Context, Fleet};
use crate::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

struct World {
    shared: Shared,
}

impl World {
    fn new(production: bool) -> World {
        let context = Context { name: "payments".into(), region: "eu-west-1".into(), profile: None, production: Some(production) };
        let now = Time::from_second(1_700_000_000).expect("a time");
        World { shared: Shared::new(Fleet(vec![context]), Config::default(), Theme::built_in("mono"), now) }
    }

    fn cx(&self) -> Cx<'_> {
        self.shared.cx()
    }

    fn wait(&mut self, milliseconds: i64) {
        self.shared.now = Time::from_millisecond(self.shared.now.as_millisecond() + milliseconds).expect("a time");
    }

    /// A dialog that has been looked at.
    fn dialog(&self, plans: Vec<Plan>) -> Dialog {
        self.opened_by(plans, Some('R'))
    }

    fn opened_by(&self, plans: Vec<Plan>, key: Option<char>) -> Dialog {
        let target = |plan: &Plan| Target { ctx: plan.ctx, cluster: plan.cluster.clone(), arn: plan.targets[0].clone() };
        let targets = plans.iter().map(target).collect();
        let mut dialog = Dialog::open(targets, Vec::new(), Form::Fixed(Wish::Redeploy), key, &self.cx());
        dialog.plans = plans.into_iter().map(|plan| (plan.targets[0].name().to_owned(), Ok(plan))).collect();
        dialog.weigh(&self.cx());
        self.screen(&mut dialog, 100, 40);
        dialog
    }

    fn screen(&self, dialog: &mut Dialog, width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        dialog.draw(area, &mut buf, &self.cx());
        let row = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>() + "\n";
        (0..height).map(row).collect()
    }

    /// Presses keys, each alone; says what was sent.
    fn press(&self, dialog: &mut Dialog, keys: &str) -> Option<Vec<Plan>> {
        let mut sent = None;
        for key in keys.split_whitespace() {
            dialog.key(key.parse().expect("a key"), &self.cx());
            sent = sent.or(dialog.rest());
        }
        sent
    }

    /// The same, all at once.
    fn flood(&self, dialog: &mut Dialog, keys: &str) -> Option<Vec<Plan>> {
        for key in keys.split_whitespace() {
            dialog.key(key.parse().expect("a key"), &self.cx());
        }
        dialog.rest()
    }
}

fn plan(name: &str, level: Level) -> Plan {
    let arn = |kind: &str, name: &str| Arn::from(format!("arn:aws:ecs:eu-west-1:123456789012:{kind}/{name}").as_str());
    let (cluster, service) = (arn("cluster", "payments"), arn("service", &format!("payments/{name}")));
    let call = Call::UpdateService {
        cluster: cluster.clone(),
        service: service.clone(),
        set: ServiceChange { force: true, ..ServiceChange::default() },
    };
    Plan {
        verb: crate::change::Verb::Redeploy,
        cluster,
        targets: vec![service.clone()],
        changes: vec![Change { what: "desired".to_owned(), before: "6".to_owned(), after: "20".to_owned() }],
        notes: vec![Note::info("capacity stays"), Note::warning("it may take a while")],
        level,
        basis: vec![Basis::Revision { arn: arn("task-definition", "checkout:411"), active: true }],
        inverse: Err("the tasks that ran are gone"),
        watch: Some(service),
        ..crate::change::sample::plan(vec![Step { call, what: format!("redeploy {name}") }])
    }
}

#[test]
fn outside_production_y_does_it_and_enter_does_not() {
    let world = World::new(false);
    let mut dialog = world.dialog(vec![plan("checkout", Level::Plain)]);
    assert_eq!(dialog.demand(), Demand::Key('y'));
    assert!(world.screen(&mut dialog, 100, 40).contains("[ Cancel ]"));
    assert!(matches!(dialog.key("enter".parse().expect("a key"), &world.cx()), Answer::Close), "Cancel has the focus");
    assert_eq!(dialog.rest(), None);
    for key in ["R", "space", "tab", "Y", "x"] {
        assert_eq!(world.press(&mut dialog, key), None, "{key}");
    }
    let sent = world.press(&mut dialog, "y").expect("it is sent");
    assert_eq!(sent, [plan("checkout", Level::Plain)], "as it was shown");
}

#[test]
fn the_key_that_opened_it_never_confirms() {
    let world = World::new(false);
    let mut dialog = world.opened_by(vec![plan("checkout", Level::Plain)], Some('y'));
    assert_eq!(world.press(&mut dialog, "y y y"), None);
    assert!(world.press(&mut dialog, "Y").is_some());
}

#[test]
fn keys_that_come_all_at_once_confirm_nothing() {
    let world = World::new(false);
    let mut dialog = world.dialog(vec![plan("checkout", Level::Plain)]);
    for keys in ["y e s", "x y", "y y", "y enter"] {
        assert_eq!(world.flood(&mut dialog, keys), None, "{keys}");
    }
    let mut dialog = World::new(true).dialog(vec![plan("checkout", Level::Plain)]);
    let world = World::new(true);
    assert_eq!(world.flood(&mut dialog, "tab c h e c k o u t enter"), None, "a text meant for another window");
    let screen = world.screen(&mut dialog, 100, 40);
    assert!(screen.contains("pasted text does not confirm: type it"), "{screen}");
    assert_eq!(dialog.confirm.text(), "", "nothing of it is left in the line");
}

#[test]
fn a_text_that_is_pasted_leaves_the_line_that_confirms_empty() {
    let mut world = World::new(true);
    let mut dialog = world.dialog(vec![plan("checkout", Level::Plain)]);
    assert_eq!(world.press(&mut dialog, "tab c h e"), None);
    dialog.paste("checkout", &world.cx());
    assert_eq!(dialog.confirm.text(), "");
    assert!(world.screen(&mut dialog, 100, 40).contains("pasted text does not confirm: type it"));
    // A text that came as keys: what is left of it a moment later is no typing either.
    assert_eq!(world.flood(&mut dialog, "c h e c k"), None);
    assert_eq!(world.press(&mut dialog, "o u t"), None);
    assert_eq!(dialog.confirm.text(), "");
    world.wait(200);
    assert!(world.press(&mut dialog, "c h e c k o u t enter").is_some(), "a hand may go on");
}

#[test]
fn in_production_the_name_is_typed_and_enter_waits_for_it() {
    let world = World::new(true);
    let mut dialog = world.dialog(vec![plan("checkout", Level::Plain)]);
    assert_eq!(dialog.demand(), Demand::Typed("checkout".to_owned()));
    assert_eq!(world.press(&mut dialog, "y Y"), None);
    assert_eq!(world.press(&mut dialog, "tab c h e c k o u enter"), None);
    assert!(world.screen(&mut dialog, 100, 40).contains("type  checkout  to the letter"));
    assert!(world.press(&mut dialog, "t enter").is_some());
}

#[test]
fn what_is_asked_for_grows_with_the_level() {
    let typed = |text: &str| Demand::Typed(text.to_owned());
    let ask = |level, production, word| World::new(production).dialog(vec![Plan { word, ..plan("checkout", level) }]).demand();
    for (level, outside, inside) in [
        (Level::Light, Demand::Key('y'), Demand::Key('y')),
        (Level::Plain, Demand::Key('y'), typed("checkout")),
        (Level::Grave, typed("checkout"), typed("checkout")),
        (Level::Drastic, typed("checkout"), typed("checkout zero")),
    ] {
        assert_eq!((ask(level, false, Some("zero")), ask(level, true, Some("zero"))), (outside, inside), "{level:?}");
    }
}

#[test]
fn of_several_the_count_is_typed_and_what_is_blocked_is_left_out() {
    let world = World::new(false);
    let blocked = Plan { notes: vec![Note::blocker("ECS would refuse")], ..plan("search", Level::Plain) };
    let mut dialog = world.dialog(vec![plan("checkout", Level::Plain), plan("cart", Level::Plain), blocked]);
    assert_eq!(dialog.demand(), Demand::Typed("redeploy 2".to_owned()));
    let screen = world.screen(&mut dialog, 100, 40);
    assert!(screen.contains("search  left out") && screen.contains("search: ECS would refuse"), "{screen}");
    let sent = world.press(&mut dialog, "tab r e d e p l o y space 2 enter").expect("it is sent");
    assert_eq!(sent.iter().map(|plan| plan.targets[0].name()).collect::<Vec<_>>(), ["checkout", "cart"]);
}

#[test]
fn what_is_blocked_cannot_be_confirmed() {
    let world = World::new(false);
    let blocked = Plan { notes: vec![Note::info("fine"), Note::blocker("ECS would refuse")], ..plan("checkout", Level::Plain) };
    let mut dialog = world.dialog(vec![blocked]);
    let screen = world.screen(&mut dialog, 100, 40);
    let (forbids, info) = (screen.find("✖ ECS would refuse").expect("it says why"), screen.find("● fine").expect("the rest too"));
    assert!(forbids < info, "what forbids it comes first");
    assert!(screen.contains("cannot be done: ECS would refuse"), "{screen}");
    assert_eq!(world.press(&mut dialog, "y tab enter"), None);
}

#[test]
fn the_gravest_take_no_key_for_two_seconds_in_production() {
    let mut world = World::new(true);
    let mut dialog = world.dialog(vec![Plan { word: Some("zero"), ..plan("checkout", Level::Drastic) }]);
    let text = "tab c h e c k o u t space z e r o enter";
    assert_eq!(world.press(&mut dialog, text), None);
    world.wait(HOLD_MS - 1);
    assert_eq!(world.press(&mut dialog, "c enter"), None);
    world.wait(1);
    assert!(world.press(&mut dialog, "c h e c k o u t space z e r o enter").is_some(), "nothing that came before is left in the line");
}

#[test]
fn a_plan_that_became_another_one_is_looked_at_again() {
    let mut world = World::new(false);
    let mut dialog = world.dialog(vec![plan("checkout", Level::Plain)]);
    // News came, and the key was already on its way.
    dialog.plans[0].1 = Ok(Plan { changes: Vec::new(), ..plan("checkout", Level::Plain) });
    (dialog.seen, dialog.changed_at) = (false, Some(world.shared.now));
    assert_eq!(world.press(&mut dialog, "y"), None);
    world.screen(&mut dialog, 100, 40);
    assert_eq!(world.press(&mut dialog, "y"), None, "it was drawn, but not yet read");
    world.wait(CHANGED_MS);
    assert!(world.press(&mut dialog, "y").is_some());
}

#[test]
fn what_moved_is_shown_as_was_now_and_yours_and_asked_again() {
    let mut world = World::new(true);
    let mut dialog = world.dialog(vec![plan("checkout", Level::Plain)]);
    let moved = Moved { target: "checkout".to_owned(), what: "desired", was: "6".to_owned(), now: "8".to_owned() };
    let confirmed = world.press(&mut dialog, "tab c h e c k o u t enter").expect("it is confirmed");
    dialog.send(Flight::new(1, confirmed.clone(), world.shared.now));
    assert_eq!(world.press(&mut dialog, "y enter tab"), None, "under way it takes no second order");
    dialog.moved(vec![moved], confirmed, &world.cx());
    let screen = world.screen(&mut dialog, 100, 40);
    assert!(screen.contains("checkout desired: was 6 · now 8 · yours 20"), "{screen}");
    assert_eq!(dialog.demand(), Demand::Typed("checkout force".to_owned()));
    world.wait(HOLD_MS);
    assert_eq!(world.press(&mut dialog, "tab c h e c k o u t enter"), None);
    assert!(world.press(&mut dialog, "space f o r c e enter").is_some());
    assert!(dialog.compared());
}

#[test]
fn the_same_within_moments_is_asked_once_more() {
    let world = World::new(true);
    let mut dialog = world.dialog(vec![plan("checkout", Level::Plain)]);
    assert!(world.press(&mut dialog, "tab c h e c k o u t enter").is_some());
    assert!(!dialog.ask_again(3));
    assert!(world.screen(&mut dialog, 100, 40).contains("the same was sent 3 s ago"));
    assert_eq!(world.press(&mut dialog, "enter"), None, "the name is typed anew");
    assert!(world.press(&mut dialog, "c h e c k o u t enter").is_some());
    assert!(dialog.ask_again(4), "once is enough");
}

#[test]
fn where_there_is_little_room_the_way_out_is_still_seen() {
    let world = World::new(true);
    let notes = (0..30).map(|n| Note::warning(format!("warning {n}"))).collect();
    let mut dialog = world.dialog(vec![Plan { notes, ..plan("checkout", Level::Plain) }]);
    for (width, height) in [(40, 8), (60, 15), (80, 24)] {
        let screen = world.screen(&mut dialog, width, height);
        assert!(
            screen.contains("Cancel") && screen.contains("▌PROD▐") && screen.contains("more lines below"),
            "{width}x{height}\n{screen}"
        );
    }
    world.press(&mut dialog, "pgdn pgdn pgdn pgdn pgdn pgdn");
    assert!(world.screen(&mut dialog, 80, 24).contains("way back"));
}

#[test]
fn where_nothing_can_be_done_no_key_points_to_a_line_that_is_not_there() {
    let world = World::new(true);
    let blocked = Plan { notes: vec![Note::blocker("ECS would refuse")], ..plan("checkout", Level::Plain) };
    let mut dialog = world.dialog(vec![blocked]);
    assert!(!world.screen(&mut dialog, 100, 40).contains("next field"), "there is no field");
    assert_eq!(world.press(&mut dialog, "y"), None);
    let screen = world.screen(&mut dialog, 100, 40);
    assert!(screen.contains("cannot be done: ECS would refuse") && !screen.contains("⇥ goes to"), "{screen}");
}

#[test]
fn before_a_call_was_made_nothing_is_said_to_apply() {
    let world = World::new(false);
    let mut dialog = world.dialog(vec![plan("checkout", Level::Plain)]);
    let mut flight = Flight::new(1, vec![plan("checkout", Level::Plain)], world.shared.now);
    dialog.send(Flight::new(1, vec![plan("checkout", Level::Plain)], world.shared.now));
    let screen = world.screen(&mut dialog, 100, 40);
    assert!(screen.contains("nothing was sent yet") && !screen.contains("may still apply"), "{screen}");
    flight.heard(&crate::change::apply::Progress::Refused("read-only: locked · nothing was sent".to_owned()));
    dialog.end(flight);
    let screen = world.screen(&mut dialog, 100, 40);
    assert!(screen.contains("not sent: read-only: locked") && screen.contains("nothing was sent"), "{screen}");
    assert!(!screen.contains("it did not all work") && !screen.contains("keeps what was sent"), "{screen}");
}

#[test]
fn what_is_different_stands_in_one_column_however_long_its_name() {
    let world = World::new(false);
    let change = |what: &str, before: &str| Change { what: what.to_owned(), before: before.to_owned(), after: "new".to_owned() };
    let changes = vec![change("runs", "first"), change("image nginx", "second"), change("revision", "third")];
    let mut dialog = world.dialog(vec![Plan { changes, ..plan("checkout", Level::Plain) }]);
    let screen = world.screen(&mut dialog, 100, 40);
    let at = |word: &str| screen.lines().find_map(|line| line.find(word).map(|byte| line[..byte].chars().count())).expect("it is there");
    assert_eq!((at("first"), at("second")), (at("second"), at("third")), "{screen}");
}
