//! What CloudWatch is asked: alarms, and the figures of services, many at a time because AWS charges by the figure and counts by the call.

use super::super::api::{Api, Call};
use super::super::batch::{Asking, Batch, ask_together};
use super::super::failure::{Doing, failure};
use super::super::{AwsError, ErrorKind, convert};
use super::scaling::goes_on;
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::{Arn, ServiceMetrics, Str};
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Largest page of alarms, and most names in one question.
const PAGE: i32 = 100;

/// Pages of alarms; a token that leads nowhere new ends the list before.
const PAGES: usize = 100;

/// Services in one `GetMetricData`: two figures each, 500 a call.
const SERVICES: usize = 250;

/// Seconds that the figures reach back, and seconds between two points.
const PAST: i64 = 30 * 60;
const PERIOD: i32 = 60;

/// Age up to which figures that came along with another service's are as good as new: there is one point a minute.
const FRESH: Duration = Duration::from_secs(30);

/// Time after which nobody is thought to look at a service any more that did not ask again.
const LOOKED_AT: Duration = Duration::from_secs(100);

/// How long the first who asks waits for company.
const GATHER: Duration = Duration::from_millis(50);

/// All alarms, or those of these names.
pub(super) async fn alarms(api: &Api, names: &Arc<[Str]>, priority: Priority) -> Result<Value, AwsError> {
    let call = Call { throttle: Throttle::Alarms, priority, action: "cloudwatch:DescribeAlarms", what: "describe the alarms" };
    let mut rows = Vec::new();
    let some = |names: &[Str]| Some(names.iter().map(ToString::to_string).collect());
    let lists: Vec<Option<Vec<String>>> =
        if names.is_empty() { vec![None] } else { names.chunks(PAGE.unsigned_abs() as usize).map(some).collect() };
    for list in lists {
        let mut token = None;
        for _ in 0..PAGES {
            let page = api
                .call(call, |sdk| {
                    // Without types AWS leaves composite alarms out.
                    let ask = sdk.cloudwatch.describe_alarms().alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
                    ask.set_alarm_names(list.clone()).max_records(PAGE).set_next_token(token.clone()).send()
                })
                .await?;
            rows.extend(page.metric_alarms().iter().map(convert::metric_alarm));
            rows.extend(page.composite_alarms().iter().map(convert::composite_alarm));
            if !goes_on(&mut token, page.next_token) {
                break;
            }
        }
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Value::Alarms(Arc::new(rows)))
}

/// Who asks for the figures of services, and what came of it: one who asks is answered for all who look.
#[derive(Debug, Default)]
pub(in crate::aws) struct Figures {
    pub(in crate::aws) batch: Batch<ServiceMetrics>,
    seen: Mutex<HashMap<Arn, Seen>>,
}

#[derive(Debug)]
struct Seen {
    asked: Instant,
    answer: Option<(Instant, ServiceMetrics)>,
}

impl Figures {
    /// Notes that somebody looks; returns what is fresh enough.
    fn look(&self, service: &Arn) -> Option<ServiceMetrics> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, seen| seen.asked.elapsed() < LOOKED_AT);
        let seen = seen.entry(service.clone()).or_insert_with(|| Seen { asked: Instant::now(), answer: None });
        seen.asked = Instant::now();
        seen.answer.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, answer)| answer.clone())
    }

    /// Adds those that are looked at too, as far as there is room in the call.
    fn company(&self, services: &mut Vec<Arn>) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let others: Vec<Arn> = seen.keys().filter(|arn| !services.contains(arn)).cloned().collect();
        let room = SERVICES.saturating_sub(services.len());
        services.extend(others.into_iter().take(room));
    }

    fn keep(&self, service: &Arn, answer: &ServiceMetrics) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.get_mut(service) {
            seen.answer = Some((Instant::now(), answer.clone()));
        }
    }
}

/// CPU and memory of a service over the last half hour.
pub(super) async fn metrics(api: &Api, service: &Arn, priority: Priority) -> Result<Value, AwsError> {
    if let Some(fresh) = api.figures().look(service) {
        return Ok(Value::Metrics(Arc::new(fresh)));
    }
    let asking = Asking { batch: |api: &Api| &api.figures().batch, gather: GATHER, together: SERVICES };
    let answer = ask_together(api, asking, service, move |api, services| answer_all(api, services, priority)).await;
    let missing = || {
        let what = format!("read the metrics of {}", service.name());
        let doing = Doing { action: "cloudwatch:GetMetricData", what: &what, profile: None };
        Err(failure(ErrorKind::Malformed, doing, "the reply names none", "Asking again"))
    };
    answer.unwrap_or_else(missing).map(|metrics| Value::Metrics(Arc::new(metrics)))
}

async fn answer_all(api: Api, mut services: Vec<Arn>, priority: Priority) -> Vec<(Arn, Result<ServiceMetrics, AwsError>)> {
    api.figures().company(&mut services);
    match ask(&api, &services, priority).await {
        Ok(figures) => {
            let answers = services.into_iter().zip(figures);
            answers
                .inspect(|(service, answer)| api.figures().keep(service, answer))
                .map(|(service, answer)| (service, Ok(answer)))
                .collect()
        }
        Err(error) => services.into_iter().map(|service| (service, Err(error.clone()))).collect(),
    }
}

async fn ask(api: &Api, services: &[Arn], priority: Priority) -> Result<Vec<ServiceMetrics>, AwsError> {
    let what = match services {
        [one] => format!("read the metrics of {}", one.name()),
        several => format!("read the metrics of {} services", several.len()),
    };
    let call = Call { throttle: Throttle::Metrics, priority, action: "cloudwatch:GetMetricData", what: &what };
    let queries: Vec<MetricDataQuery> = services.iter().enumerate().flat_map(|(n, service)| queries(n, service)).collect();
    // The minute that is not over would be a point that is too low.
    let end = api.now().as_second() / i64::from(PERIOD) * i64::from(PERIOD);
    let (start, end) = (aws_smithy_types::DateTime::from_secs(end - PAST), aws_smithy_types::DateTime::from_secs(end));
    let mut figures = vec![ServiceMetrics::default(); services.len()];
    let mut token = None;
    for _ in 0..PAGES {
        let page = api
            .call(call, |sdk| {
                let ask = sdk.cloudwatch.get_metric_data().set_metric_data_queries(Some(queries.clone())).start_time(start).end_time(end);
                ask.scan_by(ScanBy::TimestampAscending).set_next_token(token.clone()).send()
            })
            .await?;
        for result in page.metric_data_results() {
            let Some((kind, n)) = result.id().and_then(|id| Some((id.get(..1)?, id.get(1..)?.parse::<usize>().ok()?))) else { continue };
            let Some(figure) = figures.get_mut(n) else { continue };
            let points = if kind == "c" { &mut figure.cpu } else { &mut figure.memory };
            points.extend(result.values().iter().copied().filter(|value| value.is_finite()));
        }
        if !goes_on(&mut token, page.next_token) {
            break;
        }
    }
    Ok(figures)
}

/// CPU under `c` and memory under `m` with the service's place; ids must begin with a small letter.
fn queries(n: usize, service: &Arn) -> [MetricDataQuery; 2] {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    [("c", "CPUUtilization"), ("m", "MemoryUtilization")].map(|(letter, name)| {
        let metric = Metric::builder()
            .namespace("AWS/ECS")
            .metric_name(name)
            .dimensions(dimension("ClusterName", service.cluster_name().unwrap_or("default")))
            .dimensions(dimension("ServiceName", service.name()));
        let stat = MetricStat::builder().metric(metric.build()).period(PERIOD).stat("Average").build();
        MetricDataQuery::builder().id(format!("{letter}{n}")).metric_stat(stat).return_data(true).build()
    })
}
