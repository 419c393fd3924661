//! Checks of what stands beside the services of a scenario: repositories, loads, scaling, alarms, `CodeDeploy`.

use std::collections::BTreeSet;

use toml::Spanned;

use super::explain::{at, unknown};
use super::schema::{Alarm, CodeDeploy, Controller, Metric, Scaling, Service};
use super::{Error, Scenario};

type Place<'a> = (&'a str, &'a str);

/// Refuses the first thing that is wrong.
pub fn check(place: Place<'_>, scenario: &Scenario) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for repository in &scenario.repository {
        known_context(place, scenario, &repository.context)?;
        if !seen.insert((repository.context.get_ref(), &repository.name)) {
            return Err(refused(place, &repository.context, &format!("repository `{}` stands twice", repository.name)));
        }
    }
    for load in &scenario.load {
        service_of(place, scenario, &load.cluster, &load.service)?;
        if load.period.0 < 60_000 || !(0.0..=1.0).contains(&load.swing) {
            return Err(refused(place, &load.service, "`swing` lies between 0 and 1, and `period` is a minute at least"));
        }
    }
    for scaling in &scenario.scaling {
        one_scaling(place, scenario, scaling)?;
    }
    for alarm in &scenario.alarm {
        one_alarm(place, scenario, alarm)?;
    }
    for group in &scenario.code_deploy {
        one_group(place, scenario, group)?;
    }
    Ok(())
}

fn refused((file, text): Place<'_>, name: &Spanned<String>, message: &str) -> Error {
    at(file, text, Some(name.span()), message)
}

fn known_context(place: Place<'_>, scenario: &Scenario, name: &Spanned<String>) -> Result<(), Error> {
    let contexts = scenario.context.iter().map(|c| c.name.as_str());
    if contexts.clone().any(|known| known == name.get_ref()) { Ok(()) } else { Err(unknown(place, "context", name, contexts)) }
}

fn service_of<'a>(
    place: Place<'_>,
    scenario: &'a Scenario,
    cluster: &Spanned<String>,
    service: &Spanned<String>,
) -> Result<&'a Service, Error> {
    let clusters = scenario.cluster.iter().map(|c| c.name.as_str());
    if !clusters.clone().any(|name| name == cluster.get_ref()) {
        return Err(unknown(place, "cluster", cluster, clusters));
    }
    let of_cluster = || scenario.service.iter().filter(|s| s.cluster.get_ref() == cluster.get_ref());
    let names: Vec<&str> = of_cluster().map(|s| s.name.as_str()).collect();
    of_cluster().find(|s| s.name == *service.get_ref()).ok_or_else(|| unknown(place, "service", service, names))
}

/// What a metric needs that a service does not have: without it, nothing would ever be measured.
fn measurable(scenario: &Scenario, service: &Service, metric: Metric) -> Result<(), &'static str> {
    let queue = || {
        scenario
            .load
            .iter()
            .any(|l| l.cluster.get_ref() == service.cluster.get_ref() && *l.service.get_ref() == service.name && l.queue.is_some())
    };
    match metric {
        Metric::Cpu | Metric::Memory => Ok(()),
        Metric::Queue => queue().then_some(()).ok_or("metric `queue` needs a [[load]] with a queue"),
        _ => service.load_balancer.is_some().then_some(()).ok_or("this metric needs a [service.load_balancer]"),
    }
}

fn one_scaling(place: Place<'_>, scenario: &Scenario, scaling: &Scaling) -> Result<(), Error> {
    let service = service_of(place, scenario, &scaling.cluster, &scaling.service)?;
    if scaling.min > scaling.max {
        return Err(refused(place, &scaling.service, "`min` must not be more than `max`"));
    }
    if service.daemon {
        return Err(refused(place, &scaling.service, "a daemon cannot be scaled"));
    }
    for policy in &scaling.policy {
        measurable(scenario, service, policy.metric).map_err(|lacks| refused(place, &scaling.service, lacks))?;
        if !policy.step.is_sorted_by(|a, b| a.above < b.above) {
            return Err(refused(place, &scaling.service, "`step` must ascend in `above`"));
        }
    }
    Ok(())
}

fn one_alarm(place: Place<'_>, scenario: &Scenario, alarm: &Alarm) -> Result<(), Error> {
    known_context(place, scenario, &alarm.context)?;
    let over = (&alarm.cluster, &alarm.service, alarm.metric, &alarm.rule);
    match over {
        (None, None, None, Some(_)) => Ok(()),
        (Some(cluster), Some(name), Some(metric), None) => {
            let service = service_of(place, scenario, cluster, name)?;
            measurable(scenario, service, metric).map_err(|lacks| refused(place, name, lacks))?;
            if alarm.periods == 0 || alarm.datapoints.is_some_and(|n| n == 0 || n > alarm.periods) {
                return Err(refused(place, name, "`periods` starts at 1, and `datapoints` is no more"));
            }
            Ok(())
        }
        _ => Err(refused(place, &alarm.context, "an alarm needs `cluster`, `service` and `metric`, or a `rule`")),
    }
}

fn one_group(place: Place<'_>, scenario: &Scenario, group: &CodeDeploy) -> Result<(), Error> {
    let service = service_of(place, scenario, &group.cluster, &group.service)?;
    if service.controller != Controller::CodeDeploy || service.load_balancer.is_none() {
        return Err(refused(place, &group.service, "CodeDeploy needs `controller = \"CODE_DEPLOY\"` and a [service.load_balancer]"));
    }
    if group.percent.is_some() != group.interval.is_some() {
        return Err(refused(place, &group.service, "`percent` and `interval` belong together"));
    }
    if group.percent.is_some_and(|percent| !(1..=99).contains(&percent)) {
        return Err(refused(place, &group.service, "`percent` lies between 1 and 99"));
    }
    let own = group.percent.is_some();
    if own == group.config.starts_with("CodeDeployDefault.") {
        let message = "a configuration of one's own has `percent`, `interval` and a `config` that does not begin with CodeDeployDefault.";
        return Err(refused(place, &group.service, message));
    }
    Ok(())
}
