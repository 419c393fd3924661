//! SDK replies become model values here, and every string from outside is cleaned on its way in. Words that this version of
//! the SDK does not know stay as AWS sent them.

mod autoscaling;
mod cloudwatch;
mod codedeploy;
mod definition;
mod service;
mod target;
mod task;
mod words;

pub use autoscaling::{scalable_target, scaling_activity, scaling_policy, scheduled_action};
pub use cloudwatch::{composite_alarm, metric_alarm};
pub use codedeploy::{code_deployment, shift, target_of};
pub use definition::task_definition;
pub use service::{service, service_deployment, service_revision};
pub use target::{image, image_index, routes, target, target_group};
pub use task::{container_instance, task};

pub use crate::text::clean;

use crate::model::{Arn, Cluster, ExecConfiguration, Str, Time};
use aws_sdk_ecs::types as ecs;
use aws_smithy_types::DateTime;
use words::word;

/// A string that AWS may leave out, empty when it does.
fn text(text: Option<&str>) -> Str {
    word(text.unwrap_or_default())
}

fn maybe(text: Option<&str>) -> Option<Str> {
    text.filter(|text| !text.is_empty()).map(word)
}

/// The same of what is said of one thing alone, as its address.
fn own(text: Option<&str>) -> Option<Str> {
    text.filter(|text| !text.is_empty()).map(clean)
}

fn arn(text: Option<&str>) -> Arn {
    Arn(word(text.unwrap_or_default()))
}

fn maybe_arn(text: Option<&str>) -> Option<Arn> {
    maybe(text).map(Arn)
}

fn texts(texts: Option<&Vec<String>>) -> Vec<Str> {
    texts.into_iter().flatten().map(|text| word(text)).collect()
}

/// A count; AWS's are signed on the wire and never negative.
fn count(count: i32) -> u32 {
    u32::try_from(count).unwrap_or(0)
}

/// A port, 0 when there is none.
fn port(port: Option<i32>) -> u16 {
    port.and_then(|port| u16::try_from(port).ok()).unwrap_or(0)
}

pub(super) fn time(time: Option<&DateTime>) -> Option<Time> {
    let time = time?;
    let nanos = i32::try_from(time.subsec_nanos()).unwrap_or(0);
    Time::new(time.secs(), nanos).ok()
}

fn tags(tags: Option<&Vec<ecs::Tag>>) -> Vec<(Str, Str)> {
    tags.into_iter().flatten().map(|tag| (text(tag.key()), text(tag.value()))).collect()
}

/// A cluster of `DescribeClusters`.
pub fn cluster(from: &ecs::Cluster) -> Cluster {
    Cluster {
        arn: arn(from.cluster_arn()),
        name: text(from.cluster_name()),
        status: text(from.status()),
        services: count(from.active_services_count()),
        running: count(from.running_tasks_count()),
        pending: count(from.pending_tasks_count()),
        instances: count(from.registered_container_instances_count()),
        capacity_providers: texts(from.capacity_providers.as_ref()),
        settings: from
            .settings()
            .iter()
            .map(|setting| (text(setting.name().map(ecs::ClusterSettingName::as_str)), text(setting.value())))
            .collect(),
        exec: from.configuration().and_then(ecs::ClusterConfiguration::execute_command_configuration).map(exec).unwrap_or_default(),
        tags: tags(from.tags.as_ref()),
    }
}

fn exec(from: &ecs::ExecuteCommandConfiguration) -> ExecConfiguration {
    let logs = from.log_configuration();
    let bucket = logs.and_then(|logs| {
        let bucket = maybe(logs.s3_bucket_name())?;
        let path = logs.s3_key_prefix().map_or(Str::clone(&bucket), |prefix| clean(&format!("{bucket}/{prefix}")));
        Some((path, logs.s3_encryption_enabled()))
    });
    ExecConfiguration {
        key: maybe(from.kms_key_id()),
        logging: maybe(from.logging().map(ecs::ExecuteCommandLogging::as_str)),
        log_group: logs.and_then(|logs| Some((maybe(logs.cloud_watch_log_group_name())?, logs.cloud_watch_encryption_enabled()))),
        bucket,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_fraction_and_an_absurd_one_is_left_out() {
        let half = DateTime::from_secs_and_nanos(1_700_000_000, 500_000_000);
        assert_eq!(time(Some(&half)).unwrap().as_millisecond(), 1_700_000_000_500);
        assert_eq!(time(Some(&DateTime::from_secs(i64::MAX))), None);
    }

    #[test]
    fn a_word_of_tomorrow_stays_as_aws_sent_it() {
        let setting = ecs::ClusterSetting::builder().name("containerForesight".into()).value("on").build();
        let tomorrow = cluster(&ecs::Cluster::builder().cluster_name("a\u{1b}[31mb").settings(setting).build());
        assert_eq!(&*tomorrow.settings[0].0, "containerForesight");
        assert!(!tomorrow.name.contains('\u{1b}'));
    }
}
