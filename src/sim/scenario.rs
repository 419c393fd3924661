//! Scenarios: the TOML files that say what stands in the embedded AWS at the
//! start and how it fares. This module reads and checks them; it builds nothing.
//!
//! Unknown keys and names are refused with file, line, column and the nearest
//! right name. The schema is the structs of [`schema`] and [`fleet`]: each struct
//! is a table, each field a key. The least that a scenario needs:
//!
//! ```toml
//! about = "one service that is well"
//! [[context]]
//! name = "acme"
//! region = "eu-west-1"
//! account = "123456789012"
//! access_key = "AKIAEXAMPLE"
//! secret_key = "secret"
//! [[cluster]]
//! name = "main"
//! context = "acme"
//! [[service]]
//! name = "api"
//! cluster = "main"
//! desired = 2
//! age = "90d"
//! deployed = "3h"
//! [[service.container]]
//! name = "app"
//! image = "api"
//! tag = "v1.2.3"
//! voice = "plain"
//! ```

mod beside;
mod check;
mod explain;
pub mod fleet;
pub mod schema;
mod span;

use std::fs;

pub use explain::{Error, nearest, refuse};
pub use fleet::{Count, Fleet};
pub use schema::{Act, Behaviour, Fate, HealthCheck, LaunchType, LogDriver, Scenario, Strategy, Voice};
pub use span::Span;

/// Scenarios that are built in: name and text.
pub const EMBEDDED: [(&str, &str); 3] = [
    ("small", include_str!("scenarios/small.toml")),
    ("large", include_str!("scenarios/large.toml")),
    ("seeds", include_str!("scenarios/seeds.toml")),
];

/// Reads a scenario by its built-in name, or else from a file, and sets parameters.
///
/// # Errors
/// One line that says what is wrong, where, and what was perhaps meant.
pub fn load(name: &str, set: &[(String, String)]) -> Result<Scenario, Error> {
    if let Some((name, text)) = EMBEDDED.iter().find(|(embedded, _)| *embedded == name) {
        return read(&format!("{name}.toml"), text, set);
    }
    match fs::read_to_string(name) {
        Ok(text) => read(name, &text, set),
        Err(why) => {
            let names = EMBEDDED.map(|(name, _)| name);
            let hint = match nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("built in are {}; anything else is the path of a TOML file", names.join(", ")),
            };
            Err(Error(format!("no scenario `{name}` ({why}); {hint}")))
        }
    }
}

/// Reads a scenario from its text.
///
/// # Errors
/// As [`load`].
pub fn read(file: &str, text: &str, set: &[(String, String)]) -> Result<Scenario, Error> {
    let mut scenario: Scenario = toml::from_str(text).map_err(|e| refuse(file, text, &e))?;
    for (key, value) in set {
        let Some(parameter) = scenario.parameters.get_mut(key) else {
            let names: Vec<&str> = scenario.parameters.keys().map(String::as_str).collect();
            let hint = match (nearest(key, names.iter().copied()), names.is_empty()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, false) => format!("there are {}", names.join(", ")),
                (None, true) => "this scenario has none".to_owned(),
            };
            return Err(Error(format!("{file}: no parameter `{key}` to set; {hint}")));
        };
        *parameter = value.parse().map_err(|_| Error(format!("{file}: parameter `{key}` must be a whole number, not `{value}`")))?;
    }
    check::check(file, text, &scenario)?;
    Ok(scenario)
}

impl Scenario {
    /// The number that a count of `[fleet]` stands for; [`read`] has checked its name.
    #[must_use]
    pub fn count(&self, count: &Count) -> u32 {
        match count {
            Count::Number(n) => *n,
            Count::Parameter(name) => self.parameters.get(name).copied().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl Fn(&str) -> String) -> String {
        let text = change(EMBEDDED[0].1);
        assert_ne!(text, EMBEDDED[0].1, "the change changed nothing");
        read("my.toml", &text, &[]).expect_err("must be refused").to_string()
    }

    #[test]
    fn the_example_above_is_enough() {
        let own = include_str!("scenario.rs");
        let lines = own.lines().skip_while(|l| *l != "//! ```toml").skip(1).take_while(|l| *l != "//! ```");
        let text: Vec<&str> = lines.map(|l| l.trim_start_matches("//! ")).collect();
        let scenario = read("example.toml", &text.join("\n"), &[]).expect("a complete scenario");
        assert_eq!(scenario.service[0].desired, 2);
    }

    #[test]
    fn a_fate_that_could_never_strike_is_refused() {
        let refused = refusal(|t| t.replacen("fate = \"ends\"", "fate = \"unhealthy\"", 1));
        assert!(refused.contains("needs a [service.load_balancer]"), "{refused}");
    }

    #[test]
    fn embedded_scenarios_are_accepted() {
        for (name, _) in EMBEDDED {
            load(name, &[]).expect(name);
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_line_column_and_nearest_name() {
        let text = "about = \"x\"\n[[context]]\nname = \"a\"\nregoin = \"eu-west-1\"\n";
        let refused = read("my.toml", text, &[]).expect_err("must be refused").to_string();
        assert!(refused.starts_with("my.toml:4:1: unknown field `regoin`"), "{refused}");
        assert!(refused.ends_with("did you mean `region`?"), "{refused}");
    }

    #[test]
    fn an_unknown_cluster_is_refused_where_it_is_named() {
        let refused = refusal(|t| t.replacen("cluster = \"payments-prod\"", "cluster = \"payment-prod\"", 1));
        assert!(refused.contains("no cluster `payment-prod`; did you mean `payments-prod`?"), "{refused}");
        assert!(refused.starts_with("my.toml:"), "{refused}");
    }

    #[test]
    fn an_unknown_voice_is_refused_with_the_nearest() {
        let refused = refusal(|t| t.replacen("voice = \"java\"", "voice = \"jaav\"", 1));
        assert!(refused.contains("did you mean `java`?"), "{refused}");
    }

    #[test]
    fn a_duration_needs_a_unit() {
        let refused = refusal(|t| t.replacen("every = \"12m\"", "every = \"12\"", 1));
        assert!(refused.contains("a duration such as"), "{refused}");
    }

    #[test]
    fn parameters_can_be_set_and_unknown_ones_are_refused() {
        let set = |k: &str, v: &str| load("large", &[(k.to_owned(), v.to_owned())]);
        let scenario = set("services", "17").expect("known");
        assert_eq!(scenario.parameters["services"], 17);
        let refused = set("service", "17").expect_err("unknown").to_string();
        assert_eq!(refused, "large.toml: no parameter `service` to set; did you mean `services`?");
        assert!(set("services", "many").is_err());
    }

    #[test]
    fn an_unknown_scenario_names_the_built_in_ones() {
        let refused = load("smal", &[]).expect_err("unknown").to_string();
        assert!(refused.contains("did you mean `small`?"), "{refused}");
    }
}
