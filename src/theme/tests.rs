//! The themes held to their roles and to readable contrast.

use super::*;
use ratatui::style::Modifier;

fn around(term: &str, colorterm: &str) -> Surroundings {
    Surroundings { term: term.to_owned(), colorterm: colorterm.to_owned(), ..Surroundings::default() }
}

fn chosen(flag: Option<&str>, configured: Option<&str>, around: &Surroundings) -> (String, Depth) {
    let theme = Theme::choose(flag, configured, None, around).expect("an embedded theme");
    (theme.name, theme.depth)
}

fn themes_with(name: &str, text: &str) -> std::path::PathBuf {
    let directory = std::env::temp_dir().join(format!("midwatch-themes-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a writable temporary directory");
    std::fs::write(directory.join(format!("{name}.toml")), text).expect("a writable temporary directory");
    directory
}

#[test]
fn every_role_of_every_theme_is_readable_wherever_it_is_painted() {
    for (name, _) in BUILT_IN {
        for depth in [Depth::True, Depth::Ansi256] {
            assert_eq!(Theme::built_in(name).fitted(depth).faint(), [], "{name} at {depth:?}");
        }
    }
}

#[test]
fn contrast_is_that_of_wcag() {
    let near = |a, b, wanted: f64| (contrast(a, b).expect("known colours") - wanted).abs() < 0.01;
    assert!(near(Color::Rgb(0, 0, 0), Color::Rgb(255, 255, 255), 21.0));
    assert!(near(Color::Rgb(0x76, 0x76, 0x76), Color::Rgb(255, 255, 255), 4.54));
    assert_eq!(contrast(Color::Red, Color::Rgb(0, 0, 0)), None);
}

#[test]
fn a_colour_theme_states_everything_that_contrast_needs() {
    for name in ["midwatch-dark", "midwatch-light"] {
        let theme = Theme::built_in(name);
        assert!(theme.background.is_some() && theme.series.len() == 8);
        for row in ROLES {
            let style = theme.style(row.role);
            assert_eq!(
                (style.fg.is_some(), style.bg.is_some()),
                (row.ground != Ground::Under, row.ground != Ground::Any),
                "{name} {}",
                row.name
            );
        }
    }
}

#[test]
fn there_are_sixteen_roles_in_the_order_of_their_table() {
    assert_eq!(ROLES.len(), 16);
    for (index, row) in ROLES.iter().enumerate() {
        assert_eq!(row.role as usize, index);
        assert_eq!(row.name.replace('-', ""), format!("{:?}", row.role).to_lowercase());
    }
}

#[test]
fn mono_has_no_colour_and_nothing_faint() {
    for theme in [Theme::built_in("mono"), Theme::built_in("midwatch-dark").fitted(Depth::Mono)] {
        assert_eq!(theme.base().bg, None);
        for row in ROLES {
            let style = theme.style(row.role);
            assert_eq!((style.fg, style.bg), (None, None), "{}", row.name);
            assert!(!style.add_modifier.contains(Modifier::DIM), "{}", row.name);
        }
        for role in [Role::Selection, Role::Header, Role::Prod, Role::Match] {
            assert!(theme.style(role).add_modifier.contains(Modifier::REVERSED));
        }
    }
}

#[test]
fn sixteen_colours_use_hues_and_the_terminals_own_ground() {
    let theme = Theme::built_in("midwatch-dark").fitted(Depth::Ansi16);
    assert_eq!(theme.base(), Style::new());
    assert_eq!(theme.style(Role::Fail).fg, Some(Color::Red));
    assert_eq!(theme.style(Role::Ok).fg, Some(Color::Green));
    assert_eq!(theme.style(Role::Warn).fg, Some(Color::Yellow));
    assert_eq!(theme.style(Role::Busy).fg, Some(Color::Blue));
    assert_eq!(theme.style(Role::Prod).fg, Some(Color::Red));
    assert!(theme.style(Role::Prod).add_modifier.contains(Modifier::REVERSED));
    assert!(theme.style(Role::Selection).add_modifier.contains(Modifier::REVERSED));
}

#[test]
fn the_environment_tells_how_many_colours_there_are() {
    for (term, colorterm, depth) in [
        ("xterm-256color", "truecolor", Depth::True),
        ("xterm-kitty", "", Depth::True),
        ("tmux-256color", "", Depth::Ansi256),
        ("screen", "", Depth::Ansi16),
        ("linux", "", Depth::Ansi16),
        ("dumb", "truecolor", Depth::Mono),
    ] {
        assert_eq!(around(term, colorterm).depth(), depth, "{term}");
    }
}

#[test]
fn the_theme_follows_flag_then_no_color_then_configuration_then_background() {
    let full = around("xterm-256color", "truecolor");
    let without = Surroundings { no_color: true, ..full.clone() };
    let light = Surroundings { colorfgbg: "0;default;15".to_owned(), ..full.clone() };
    let is = |name: &str, depth| (name.to_owned(), depth);
    assert_eq!(chosen(None, None, &full), is("midwatch-dark", Depth::True));
    assert_eq!(chosen(None, None, &light), is("midwatch-light", Depth::True));
    assert_eq!(chosen(None, Some("midwatch-dark"), &light), is("midwatch-dark", Depth::True));
    assert_eq!(chosen(None, Some("midwatch-dark"), &without), is("mono", Depth::Mono));
    assert_eq!(chosen(Some("midwatch-light"), None, &without), is("midwatch-light", Depth::True));
    assert_eq!(chosen(Some("midwatch-light"), None, &around("dumb", "")).0, "mono");
}

#[test]
fn an_unknown_theme_is_refused_with_the_names_to_choose_from() {
    let error = |name| Theme::choose(Some(name), None, None, &around("xterm", "")).expect_err("no such theme");
    assert_eq!(
        error("midwatch-drak"),
        "unknown theme \"midwatch-drak\": did you mean \"midwatch-dark\"?; themes are midwatch-dark, midwatch-light, mono"
    );
    assert_eq!(error("../secret"), "unknown theme \"../secret\"; themes are midwatch-dark, midwatch-light, mono");
}

#[test]
fn a_users_theme_is_a_patch() {
    let directory = themes_with("night", "base = \"midwatch-light\"\n[roles]\nok = \"#004400\"\n");
    let theme = Theme::choose(Some("night"), None, Some(&directory), &around("xterm-kitty", "")).expect("a sound theme");
    let base = Theme::built_in("midwatch-light");
    assert_eq!(theme.style(Role::Ok).fg, Some(Color::Rgb(0, 0x44, 0)));
    assert_eq!(theme.style(Role::Fail), base.style(Role::Fail));
    assert_eq!(theme.base(), base.base());
    assert!(names(Some(&directory)).contains(&"night".to_owned()));
}

#[test]
fn mistakes_in_a_theme_are_refused_with_their_place() {
    for (text, wanted) in [
        ("[roles]\nwrn = \"#ffffff\"\n", "t.toml:2:1: unknown role \"wrn\": did you mean \"warn\"?"),
        ("[roles]\nwarn = \"yellow\"\n", "t.toml:2:8: a colour is written as \"#rrggbb\", red, green and blue in hexadecimal"),
        ("[roles]\nwarn = { bould = true }\n", "t.toml:2:10: unknown key \"bould\": did you mean \"bold\"?"),
        ("base = \"midwatch-drk\"\n", "t.toml:1:8: unknown theme \"midwatch-drk\": did you mean \"midwatch-dark\"?"),
        ("[rolls]\n", "t.toml:1:2: unknown key \"rolls\": did you mean \"roles\"?"),
    ] {
        let error = file::read("t", "t.toml", text, Some("t")).expect_err("a mistake");
        assert_eq!(error.to_string(), wanted);
    }
}
