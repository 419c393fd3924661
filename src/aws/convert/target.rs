//! Target groups, the rules that lead to them, the health of their targets, and images in ECR.

use super::{arn, clean, count, maybe, port, text, texts, time};
use crate::model::{Arn, Image, ImageIndex, Route, Str, Target, TargetGroup, TargetState};
use aws_sdk_ecr::types as ecr;
use aws_sdk_elasticloadbalancingv2::types as elb;

/// A group of `DescribeTargetGroups`.
pub fn target_group(from: &elb::TargetGroup) -> TargetGroup {
    let matcher = from.matcher().and_then(|matcher| matcher.http_code().or_else(|| matcher.grpc_code()));
    TargetGroup {
        arn: arn(from.target_group_arn()),
        name: text(from.target_group_name()),
        target_type: clean(from.target_type().map_or("instance", elb::TargetTypeEnum::as_str)),
        protocol: maybe(from.protocol().map(elb::ProtocolEnum::as_str)),
        port: from.port().map(|number| port(Some(number))),
        check_path: maybe(from.health_check_path()),
        check_port: maybe(from.health_check_port()),
        matcher: maybe(matcher),
        interval_seconds: from.health_check_interval_seconds().map_or(0, count),
        timeout_seconds: from.health_check_timeout_seconds().map_or(0, count),
        healthy_threshold: from.healthy_threshold_count().map_or(0, count),
        unhealthy_threshold: from.unhealthy_threshold_count().map_or(0, count),
        load_balancers: texts(from.load_balancer_arns.as_ref()).into_iter().map(Arn).collect(),
    }
}

/// A target of `DescribeTargetHealth`.
pub fn target(from: &elb::TargetHealthDescription) -> Target {
    let (target, health) = (from.target(), from.target_health());
    Target {
        id: text(target.and_then(|target| target.id())),
        port: port(target.and_then(elb::TargetDescription::port)),
        zone: maybe(target.and_then(|target| target.availability_zone())),
        state: state(health.and_then(|health| health.state()).map_or("unavailable", elb::TargetHealthStateEnum::as_str)),
        reason: maybe(health.and_then(|health| health.reason()).map(elb::TargetHealthReasonEnum::as_str)),
        description: maybe(health.and_then(|health| health.description())),
    }
}

fn state(word: &str) -> TargetState {
    match word {
        "initial" => TargetState::Initial,
        "healthy" => TargetState::Healthy,
        "unhealthy" => TargetState::Unhealthy,
        "unused" => TargetState::Unused,
        "draining" => TargetState::Draining,
        "unhealthy.draining" => TargetState::UnhealthyDraining,
        "unavailable" => TargetState::Unavailable,
        other => TargetState::Other(clean(other)),
    }
}

/// An image of `DescribeImages`.
pub fn image(from: &ecr::ImageDetail) -> Image {
    let counts = from.image_scan_findings_summary().and_then(|summary| summary.finding_severity_counts());
    let mut findings: Vec<(Str, u32)> =
        counts.into_iter().flatten().map(|(severity, found)| (clean(severity.as_str()), count(*found))).collect();
    findings.sort_by_key(|(severity, _)| (rank(severity), severity.clone()));
    Image {
        digest: text(from.image_digest()),
        tags: texts(from.image_tags.as_ref()),
        pushed_at: time(from.image_pushed_at()),
        size: from.image_size_in_bytes().and_then(|bytes| u64::try_from(bytes).ok()),
        findings,
        media_type: maybe(from.image_manifest_media_type()),
        status: maybe(from.image_status().map(ecr::ImageStatus::as_str)),
    }
}

/// The images that an index names. The manifest is a document of whoever built the image: what cannot be read names nothing.
pub fn image_index(manifest: &str) -> ImageIndex {
    let read: serde_json::Value = serde_json::from_str(manifest).unwrap_or_default();
    let text = |value: &serde_json::Value, key: &str| value.get(key).and_then(serde_json::Value::as_str).map(clean);
    let child = |entry: &serde_json::Value| {
        let platform = entry
            .get("platform")
            .and_then(|platform| Some(format!("{}/{}", text(platform, "os")?, text(platform, "architecture")?).as_str().into()));
        Some((text(entry, "digest")?, platform))
    };
    let entries = read.get("manifests").and_then(serde_json::Value::as_array);
    ImageIndex { children: entries.into_iter().flatten().filter_map(child).collect() }
}

/// Rules of a listener, each with where it leads; the listener's default action stands as its last rule where there is none.
pub fn routes(listener: &elb::Listener, rules: &[elb::Rule]) -> Vec<Route> {
    let load_balancer = arn(listener.load_balancer_arn());
    let base = Route {
        rule: arn(listener.listener_arn()),
        // `…:loadbalancer/app/NAME/ID`: the name stands before the last slash.
        load_balancer: clean(load_balancer.as_str().rsplit('/').nth(1).unwrap_or(load_balancer.name())),
        port: port(listener.port()),
        protocol: text(listener.protocol().map(elb::ProtocolEnum::as_str)),
        priority: "default".into(),
        ..Route::default()
    };
    let mut routes: Vec<Route> = rules.iter().map(|rule| route(&base, rule)).collect();
    if !rules.iter().any(|rule| rule.is_default() == Some(true)) {
        routes.push(Route { groups: forwards(listener.default_actions()), ..base });
    }
    routes
}

fn route(base: &Route, rule: &elb::Rule) -> Route {
    let mut route = Route { rule: arn(rule.rule_arn()), priority: text(rule.priority()), groups: forwards(rule.actions()), ..base.clone() };
    for condition in rule.conditions() {
        let old = || condition.values().iter().map(|value| clean(value)).collect::<Vec<Str>>();
        let new = |values: &[String]| values.iter().map(|value| clean(value)).collect::<Vec<Str>>();
        match condition.field() {
            Some("host-header") => route
                .hosts
                .extend(condition.host_header_config().map(|c| new(c.values())).filter(|values| !values.is_empty()).unwrap_or_else(old)),
            Some("path-pattern") => route
                .paths
                .extend(condition.path_pattern_config().map(|c| new(c.values())).filter(|values| !values.is_empty()).unwrap_or_else(old)),
            field => route.others.push(clean(&other_condition(field.unwrap_or("condition"), condition))),
        }
    }
    route
}

/// A condition that is neither host nor path: a header, a method, a query, a source address.
fn other_condition(field: &str, condition: &elb::RuleCondition) -> String {
    let header = condition.http_header_config().map(|c| format!("{}={}", c.http_header_name().unwrap_or("?"), c.values().join(",")));
    let method = || condition.http_request_method_config().map(|c| c.values().join(","));
    let source = || condition.source_ip_config().map(|c| c.values().join(","));
    let query = || {
        let pair = |pair: &elb::QueryStringKeyValuePair| format!("{}={}", pair.key().unwrap_or("*"), pair.value().unwrap_or("*"));
        condition.query_string_config().map(|c| c.values().iter().map(pair).collect::<Vec<_>>().join("&"))
    };
    let values = header.or_else(method).or_else(source).or_else(query).unwrap_or_else(|| condition.values().join(","));
    format!("{field} {values}")
}

/// The groups that actions forward to. A single one may stand without a weight, and then gets everything.
fn forwards(actions: &[elb::Action]) -> Vec<(Arn, u32)> {
    let of = |action: &elb::Action| -> Vec<(Arn, u32)> {
        let groups = action.forward_config().map_or(&[][..], |forward| forward.target_groups());
        if groups.is_empty() {
            return maybe(action.target_group_arn()).map(|group| (Arn(group), 1)).into_iter().collect();
        }
        groups.iter().map(|group| (arn(group.target_group_arn()), group.weight().map_or(1, count))).collect()
    };
    actions.iter().flat_map(of).collect()
}

fn rank(severity: &str) -> usize {
    ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED"].iter().position(|known| *known == severity).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_sdk_comes_back_as_the_same_word() {
        for word in elb::TargetHealthStateEnum::values() {
            assert_eq!(state(word).as_str(), *word);
            assert!(!matches!(state(word), TargetState::Other(_)), "{word} is not in the model");
        }
        assert_eq!(state("sleeping"), TargetState::Other("sleeping".into()));
    }

    #[test]
    fn the_worst_findings_come_first() {
        let summary = ecr::ImageScanFindingsSummary::builder()
            .finding_severity_counts(ecr::FindingSeverity::Low, 3)
            .finding_severity_counts(ecr::FindingSeverity::Critical, 1)
            .build();
        let image = image(&ecr::ImageDetail::builder().image_scan_findings_summary(summary).build());
        assert_eq!(image.findings, [("CRITICAL".into(), 1), ("LOW".into(), 3)]);
    }

    #[test]
    fn an_index_names_its_platforms_and_rubbish_names_nothing() {
        let manifest = r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:a","platform":{"architecture":"arm64","os":"linux"}},{"digest":"sha256:b"},{"size":1}]}"#;
        assert_eq!(image_index(manifest).children, [("sha256:a".into(), Some("linux/arm64".into())), ("sha256:b".into(), None)]);
        assert_eq!(image_index("<html>"), ImageIndex::default());
    }

    #[test]
    fn a_rule_tells_hosts_paths_and_weights_and_a_listener_without_rules_its_default() {
        let group = |name: &str, weight| elb::TargetGroupTuple::builder().target_group_arn(name).weight(weight).build();
        let forward = elb::ForwardActionConfig::builder().target_groups(group("blue", 90)).target_groups(group("green", 10)).build();
        let host = elb::RuleCondition::builder().field("host-header").values("old.example").build();
        let path = elb::PathPatternConditionConfig::builder().values("/api/*").build();
        let rule = elb::Rule::builder()
            .priority("10")
            .conditions(host)
            .conditions(elb::RuleCondition::builder().field("path-pattern").path_pattern_config(path).build())
            .actions(elb::Action::builder().r#type(elb::ActionTypeEnum::Forward).forward_config(forward).build())
            .build();
        let listener = elb::Listener::builder()
            .listener_arn("listener")
            .load_balancer_arn("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/front/0123")
            .port(443)
            .default_actions(elb::Action::builder().target_group_arn("blue").build())
            .build();
        let read = routes(&listener, &[rule]);
        assert_eq!(
            (&*read[0].load_balancer, read[0].address(), read[0].share(&Arn::from("green"))),
            ("front", "old.example/api/*".to_owned(), Some(10))
        );
        assert_eq!((&*read[1].priority, read[1].address(), read[1].share(&Arn::from("blue"))), ("default", "*:443".to_owned(), Some(100)));
    }
}
