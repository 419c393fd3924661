//! Target groups, the health of their targets, and images in ECR.

use super::{arn, clean, count, maybe, port, text, texts, time};
use crate::model::{Arn, Image, Str, Target, TargetGroup, TargetState};
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
    }
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
}
