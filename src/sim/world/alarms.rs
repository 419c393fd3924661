//! Alarms: looked at once a minute, after the samples are taken. An alarm that somebody set by hand keeps that state
//! until the next look, as in AWS.

use super::metrics::MINUTE;
use super::state::{Alarm, AlarmState, Comparison, Estate, Ms, Watched};
use crate::sim::scenario::schema as file;

impl AlarmState {
    /// In AWS's spelling.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::Insufficient => "INSUFFICIENT_DATA",
        }
    }
}

impl Alarm {
    /// One that has never been looked at.
    #[must_use]
    pub fn unchecked(name: String, about: String, watched: Watched, at: Ms) -> Self {
        Self {
            name,
            about,
            watched,
            actions: Vec::new(),
            actions_enabled: true,
            updated_at: at,
            state: AlarmState::Insufficient,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            state_at: at,
            transitioned_at: at,
        }
    }

    /// Sets the state and its reason.
    pub fn set(&mut self, state: AlarmState, reason: String, now: Ms) {
        if self.state != state {
            self.transitioned_at = now;
        }
        if self.state != state || self.reason.starts_with("Unchecked") {
            self.state_at = now;
            self.reason = reason;
        }
        self.state = state;
    }
}

impl Estate {
    pub(super) fn build_alarm(&mut self, file: &file::Alarm, opened: Ms) {
        let made = opened - 120 * super::past::DAY;
        let watched = match (&file.cluster, &file.service, file.metric, &file.rule) {
            (Some(cluster), Some(service), Some(metric), _) => {
                let service = self.service_named(cluster.get_ref(), service.get_ref());
                let (id, stat) = self.metric_of(service, metric);
                Watched::Metric {
                    id,
                    stat: stat.to_owned(),
                    threshold: file.threshold,
                    comparison: if file.below { Comparison::Less } else { Comparison::Greater },
                    periods: file.periods,
                    datapoints: file.datapoints.unwrap_or(file.periods),
                    missing: file.missing.clone(),
                }
            }
            (.., rule) => Watched::Rule(rule.clone().unwrap_or_default()),
        };
        let mut alarm = Alarm::unchecked(file.name.clone(), file.about.clone(), watched, made);
        alarm.actions = file.topics.iter().map(|topic| self.arn("sns", topic)).collect();
        alarm.actions_enabled = file.actions_enabled;
        self.watch.alarms.push(alarm);
    }

    /// The state of an alarm by its name.
    #[must_use]
    pub fn alarm_state(&self, name: &str) -> Option<AlarmState> {
        self.watch.alarms.iter().find(|alarm| alarm.name == name).map(|alarm| alarm.state)
    }

    /// Looks at every alarm; those over metrics first, for the composite ones look at them.
    pub(super) fn look_at_alarms(&mut self) {
        let now = self.now;
        // What somebody set by hand is heeded before the metrics speak again.
        self.heed_alarms();
        for composite in [false, true] {
            for index in 0..self.watch.alarms.len() {
                let looked = match &self.watch.alarms[index].watched {
                    Watched::Rule(rule) if composite => self.look_at_rule(rule),
                    Watched::Metric { .. } if !composite => self.look_at_metric(&self.watch.alarms[index]),
                    _ => None,
                };
                if let Some((state, reason)) = looked {
                    self.watch.alarms[index].set(state, reason, now);
                }
            }
        }
        self.heed_alarms();
    }

    /// Deployments hear of the alarms that went off while they were under way.
    fn heed_alarms(&mut self) {
        let on = self.watch.alarms.iter().filter(|alarm| alarm.state == AlarmState::Alarm);
        let names: Vec<(String, Ms)> = on.map(|alarm| (alarm.name.clone(), alarm.transitioned_at)).collect();
        for (name, since) in names {
            self.fail_by_alarm(&name, since);
        }
    }

    /// An alarm goes off, whatever its metric says.
    pub(super) fn set_off(&mut self, name: &str) {
        let now = self.now;
        if let Some(alarm) = self.watch.alarms.iter_mut().find(|alarm| alarm.name == name) {
            alarm.set(
                AlarmState::Alarm,
                "Threshold Crossed: 3 out of the last 3 datapoints were greater than the threshold.".to_owned(),
                now,
            );
        }
        self.fail_by_alarm(name, now);
    }

    /// The state that an alarm over a metric should have, and why; none to leave it as it is.
    fn look_at_metric(&self, alarm: &Alarm) -> Option<(AlarmState, String)> {
        let Watched::Metric { id, stat, threshold, comparison, periods, datapoints, missing } = &alarm.watched else { return None };
        let newest = self.now.div_euclid(MINUTE) * MINUTE - MINUTE;
        let begins = (0..Ms::from(*periods)).map(|back| newest - back * MINUTE);
        let gauge = self.gauge(id);
        let points: Vec<(Ms, Option<f64>)> = begins.map(|at| (at, self.statistic(gauge, stat, at, MINUTE))).collect();
        let known: Vec<(Ms, f64)> = points.iter().filter_map(|(at, value)| Some((*at, (*value)?))).collect();
        let breaches = |value: f64| match comparison {
            Comparison::Greater => value > *threshold,
            Comparison::Less => value < *threshold,
        };
        let absent = points.len() - known.len();
        let mut bad = known.iter().filter(|(_, value)| breaches(*value)).count();
        match missing.as_str() {
            "breaching" => bad += absent,
            "notBreaching" => {}
            "ignore" if known.is_empty() => return None,
            _ if known.is_empty() => {
                let plural = if *periods == 1 { "datapoint was" } else { "datapoints were" };
                return Some((AlarmState::Insufficient, format!("Insufficient Data: {periods} {plural} unknown.")));
            }
            _ => {}
        }
        let needed = *datapoints as usize;
        let than = match comparison {
            Comparison::Greater => "greater than",
            Comparison::Less => "less than",
        };
        let listed: Vec<String> = known.iter().map(|(at, value)| format!("{value} ({})", day_first(*at))).collect();
        let (state, counted, how) = if bad >= needed { (AlarmState::Alarm, bad, "") } else { (AlarmState::Ok, points.len() - bad, "not ") };
        let were = if counted == 1 { "was" } else { "were" };
        let minimum = if state == AlarmState::Alarm { needed } else { points.len() + 1 - needed };
        let plural = if minimum == 1 { "datapoint" } else { "datapoints" };
        let change = if state == AlarmState::Alarm { "OK -> ALARM" } else { "ALARM -> OK" };
        let last = points.len();
        let reason = format!(
            "Threshold Crossed: {counted} out of the last {last} datapoints [{}] {were} {how}{than} the threshold ({threshold:?}) \
             (minimum {minimum} {plural} for {change} transition).",
            listed.join(", ")
        );
        Some((state, reason))
    }

    fn look_at_rule(&self, rule: &str) -> Option<(AlarmState, String)> {
        let state = |name: &str| self.alarm_state(name);
        let on = Rule { text: rule, at: 0, state: &state }.whole()?;
        let (state, word) = if on { (AlarmState::Alarm, "ALARM") } else { (AlarmState::Ok, "OK") };
        let told = self.watch.alarms.iter().filter(|alarm| rule.contains(&format!("\"{}\"", alarm.name)));
        let by: Vec<String> = told.map(|alarm| self.arn("cloudwatch", &format!("alarm:{}", alarm.name))).collect();
        Some((state, format!("{} transitioned to {word} state", by.first().map_or("the rule", String::as_str))))
    }
}

/// `21/11/26 03:08:00`, as reasons tell times.
fn day_first(ms: Ms) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().strftime("%d/%m/%y %H:%M:%S").to_string()
}

/// An `AlarmRule`: `ALARM("a")`, `OK(…)`, `INSUFFICIENT_DATA(…)`, TRUE and FALSE with AND, OR, NOT and brackets.
struct Rule<'a> {
    text: &'a str,
    at: usize,
    state: &'a dyn Fn(&str) -> Option<AlarmState>,
}

impl<'a> Rule<'a> {
    /// The value of the whole; none if it cannot be read.
    fn whole(mut self) -> Option<bool> {
        let value = self.either()?;
        self.rest().is_empty().then_some(value)
    }

    fn rest(&mut self) -> &'a str {
        let text = self.text;
        let rest = &text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &text[self.at..]
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn either(&mut self) -> Option<bool> {
        let mut value = self.both()?;
        while self.takes("OR") {
            let other = self.both()?;
            value |= other;
        }
        Some(value)
    }

    fn both(&mut self) -> Option<bool> {
        let mut value = self.one()?;
        while self.takes("AND") {
            let other = self.one()?;
            value &= other;
        }
        Some(value)
    }

    fn one(&mut self) -> Option<bool> {
        if self.takes("NOT") {
            return self.one().map(|value| !value);
        }
        if self.takes("(") {
            let value = self.either()?;
            return self.takes(")").then_some(value);
        }
        for (word, state) in [("ALARM", AlarmState::Alarm), ("OK", AlarmState::Ok), ("INSUFFICIENT_DATA", AlarmState::Insufficient)] {
            if self.takes(word) {
                let name = self.rest().strip_prefix('(')?.split(')').next()?;
                self.at += name.len() + 2;
                let name = name.trim().trim_matches(['"', '\'']);
                let name = name.rsplit(":alarm:").next().unwrap_or(name);
                return Some((self.state)(name)? == state);
            }
        }
        if self.takes("TRUE") {
            return Some(true);
        }
        self.takes("FALSE").then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_as_it_is_written() {
        let state = |name: &str| match name {
            "bad" => Some(AlarmState::Alarm),
            "good" => Some(AlarmState::Ok),
            _ => None,
        };
        let value = |text| Rule { text, at: 0, state: &state }.whole();
        assert_eq!(value("ALARM(\"bad\") AND NOT ALARM(good)"), Some(true));
        assert_eq!(value("ALARM(good) OR (OK(bad) OR TRUE)"), Some(true));
        assert_eq!(value("FALSE OR OK(\"arn:aws:cloudwatch:eu-west-1:1:alarm:good\")"), Some(true));
        assert_eq!(value("ALARM(nobody)"), None);
        assert_eq!(value("ALARM(bad) ALARM(bad)"), None);
    }
}
