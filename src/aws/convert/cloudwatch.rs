//! CloudWatch's alarms.

use super::{clean, maybe, text, time};
use crate::model::{Alarm, Str};
use aws_sdk_cloudwatch::types as cloudwatch;

/// A metric alarm of `DescribeAlarms`.
pub fn metric_alarm(from: &cloudwatch::MetricAlarm) -> Alarm {
    Alarm {
        arn: text(from.alarm_arn()),
        name: text(from.alarm_name()),
        state: text(from.state_value().map(cloudwatch::StateValue::as_str)),
        reason: maybe(from.state_reason()),
        since: time(from.state_transitioned_timestamp().or(from.state_updated_timestamp())),
        rule: rule(from),
        dimensions: dimensions(from),
        actions_enabled: from.actions_enabled().unwrap_or(true),
        composite: false,
    }
}

/// A composite alarm of `DescribeAlarms`.
pub fn composite_alarm(from: &cloudwatch::CompositeAlarm) -> Alarm {
    Alarm {
        arn: text(from.alarm_arn()),
        name: text(from.alarm_name()),
        state: text(from.state_value().map(cloudwatch::StateValue::as_str)),
        reason: maybe(from.state_reason()),
        since: time(from.state_transitioned_timestamp().or(from.state_updated_timestamp())),
        rule: text(from.alarm_rule()),
        dimensions: Vec::new(),
        actions_enabled: from.actions_enabled().unwrap_or(true),
        composite: true,
    }
}

/// `CPUUtilization > 60 for 3 × 60s`.
fn rule(from: &cloudwatch::MetricAlarm) -> Str {
    let of_maths = || from.metrics().iter().find_map(|query| query.metric_stat()?.metric()?.metric_name());
    let expression = || from.metrics().iter().find_map(cloudwatch::MetricDataQuery::expression);
    let metric = from.metric_name().or_else(of_maths).or_else(expression).unwrap_or("?");
    let sign = match from.comparison_operator().map(cloudwatch::ComparisonOperator::as_str) {
        Some("GreaterThanThreshold") => ">",
        Some("GreaterThanOrEqualToThreshold") => ">=",
        Some("LessThanThreshold") => "<",
        Some("LessThanOrEqualToThreshold") => "<=",
        Some(other) => other,
        None => "?",
    };
    let threshold = from.threshold().map_or_else(|| "a band".to_owned(), |threshold| threshold.to_string());
    let periods = from.evaluation_periods().unwrap_or(1);
    let points = from.datapoints_to_alarm().filter(|points| *points != periods).map_or(String::new(), |points| format!("{points} of "));
    let period = from.period().map_or(String::new(), |seconds| format!(" × {seconds}s"));
    clean(&format!("{metric} {sign} {threshold} for {points}{periods}{period}"))
}

fn dimensions(from: &cloudwatch::MetricAlarm) -> Vec<(Str, Str)> {
    let of_maths = || from.metrics().iter().find_map(|query| query.metric_stat()?.metric()).map_or(&[][..], |metric| metric.dimensions());
    let own = from.dimensions();
    let all = if own.is_empty() { of_maths() } else { own };
    all.iter().map(|dimension| (text(dimension.name()), text(dimension.value()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_says_what_it_compares() {
        let alarm = cloudwatch::MetricAlarm::builder()
            .metric_name("CPUUtilization")
            .comparison_operator(cloudwatch::ComparisonOperator::GreaterThanThreshold)
            .threshold(60.0)
            .evaluation_periods(3)
            .datapoints_to_alarm(2)
            .period(60)
            .state_value("UNDECIDED".into());
        let read = metric_alarm(&alarm.build());
        assert_eq!((&*read.rule, &*read.state), ("CPUUtilization > 60 for 2 of 3 × 60s", "UNDECIDED"));
    }
}
