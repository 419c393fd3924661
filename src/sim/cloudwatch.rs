//! Amazon `CloudWatch`: metric data and alarms. What was measured is the world's; here are limits, periods and words.

mod alarms;

use super::ecs::ApiError;
use super::wire::{refuse, time};
use super::world::{Estate, MINUTE, MetricId, Ms};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Queries in one call.
const QUERIES: usize = 500;
/// Points in one page.
const POINTS: usize = 100_800;
/// Statistics beside percentiles.
const STATISTICS: [&str; 5] = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"];

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(estate: &mut Estate, operation: &str, body: &Value) -> Result<Value, ApiError> {
    match operation {
        "GetMetricData" => metric_data(estate, body),
        "DescribeAlarms" => alarms::describe(estate, body),
        _ => alarms::set_state(estate, body),
    }
}

/// What one query asks for.
struct Query<'a> {
    id: &'a str,
    label: String,
    metric: MetricId,
    stat: &'a str,
    period: Ms,
}

fn metric_data(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let queries = body.get("MetricDataQueries").and_then(Value::as_array).ok_or_else(|| required("MetricDataQueries"))?;
    if queries.is_empty() || queries.len() > QUERIES {
        let count = queries.len();
        return Err(invalid(format!("The collection MetricDataQueries must have a size between 1 and {QUERIES}, but has {count}.")));
    }
    let (start, end) = (moment(body, "StartTime")?, moment(body, "EndTime")?);
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let newest_first = match text(body, "ScanBy") {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => return Err(invalid(format!("The value {other} is not valid for parameter ScanBy."))),
    };
    let most = match body.get("MaxDatapoints").filter(|value| !value.is_null()) {
        None => POINTS,
        Some(value) => {
            let most = value.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
            most.ok_or_else(|| invalid("The parameter MaxDatapoints must be greater than 0."))?.min(POINTS)
        }
    };
    let mut wanted = Vec::new();
    for query in queries {
        let read = read_query(query)?;
        if wanted.iter().any(|(known, _): &(Query<'_>, bool)| known.id == read.id) {
            return Err(invalid(format!("The values for parameter id in MetricDataQueries are not unique: {}.", read.id)));
        }
        wanted.push((read, query.get("ReturnData").and_then(Value::as_bool).unwrap_or(true)));
    }
    if !wanted.iter().any(|(_, shown)| *shown) {
        return Err(invalid("At least one of the MetricDataQueries must have ReturnData set to true."));
    }
    // A token is the number of points that earlier pages held.
    let skip = match text(body, "NextToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => offset(token).ok_or_else(|| refuse(400, "InvalidNextToken", "The next token specified is invalid."))?,
    };
    let (mut seen, mut left, mut more) = (0, most, false);
    let mut results = Vec::new();
    for (query, _) in wanted.iter().filter(|(_, shown)| *shown) {
        let points = points(estate, query, (start, end), newest_first);
        let before = skip.saturating_sub(seen).min(points.len());
        seen += points.len();
        let page: Vec<&(Ms, f64)> = points[before..].iter().take(left).collect();
        left -= page.len();
        let cut = before + page.len() < points.len();
        more |= cut;
        results.push(json!({
            "Id": query.id,
            "Label": query.label,
            "Timestamps": page.iter().map(|(at, _)| time(*at)).collect::<Vec<_>>(),
            "Values": page.iter().map(|(_, value)| value).collect::<Vec<_>>(),
            "StatusCode": if cut { "PartialData" } else { "Complete" },
        }));
    }
    let next = more.then(|| STANDARD.encode(format!("points:{}", skip + most)));
    Ok(json!({"MetricDataResults": results, "NextToken": next, "Messages": []}))
}

fn read_query(query: &Value) -> Result<Query<'_>, ApiError> {
    let id = text(query, "Id").ok_or_else(|| required("MetricDataQueries.member.Id"))?;
    let mut letters = id.chars();
    if !letters.next().is_some_and(|c| c.is_ascii_lowercase()) || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(invalid(format!(
            "The value {id} for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    if query.get("Expression").is_some_and(|e| !e.is_null()) {
        return Err(invalid(format!("Error in expression '{id}': metric math is not served by the embedded AWS")));
    }
    let stat =
        query.get("MetricStat").ok_or_else(|| invalid(format!("The parameter MetricStat or Expression is required for query {id}.")))?;
    let metric = stat.get("Metric").ok_or_else(|| required("MetricDataQueries.member.MetricStat.Metric"))?;
    let name = text(stat, "Stat").ok_or_else(|| required("MetricDataQueries.member.MetricStat.Stat"))?;
    let percentile = name.strip_prefix('p').and_then(|rest| rest.parse::<f64>().ok());
    if !STATISTICS.contains(&name) && !percentile.is_some_and(|p| (0.0..=100.0).contains(&p)) {
        return Err(invalid(format!("The value {name} for parameter MetricDataQueries.member.MetricStat.Stat is not supported.")));
    }
    let period = stat.get("Period").and_then(Value::as_i64).ok_or_else(|| required("MetricDataQueries.member.MetricStat.Period"))?;
    if ![1, 5, 10, 20, 30].contains(&period) && (period < 60 || period % 60 != 0) {
        return Err(invalid(format!("Period must be 1, 5, 10, 20, 30, or a multiple of 60, but is {period}.")));
    }
    let mut dimensions = Vec::new();
    for dimension in metric.get("Dimensions").and_then(Value::as_array).into_iter().flatten() {
        let part = |key| text(dimension, key).map(str::to_owned).ok_or_else(|| required("Dimensions.member"));
        dimensions.push((part("Name")?, part("Value")?));
    }
    dimensions.sort();
    let metric = MetricId {
        namespace: text(metric, "Namespace").unwrap_or_default().to_owned(),
        name: text(metric, "MetricName").unwrap_or_default().to_owned(),
        dimensions,
    };
    let label = text(query, "Label").map_or_else(|| metric.name.clone(), str::to_owned);
    Ok(Query { id, label, metric, stat: name, period: (period * 1000).max(MINUTE) })
}

fn points(estate: &Estate, query: &Query<'_>, (start, end): (Ms, Ms), newest_first: bool) -> Vec<(Ms, f64)> {
    let first = start.div_euclid(query.period) * query.period;
    let count = (end - first + query.period - 1) / query.period;
    let gauge = estate.gauge(&query.metric);
    let value = |n: Ms| {
        let at = first + n * query.period;
        Some((at, estate.statistic(gauge, query.stat, at, query.period)?))
    };
    // No more than two weeks of minutes: what was before the samples is all alike.
    let oldest = (count - 20_160).max(0);
    let mut points: Vec<(Ms, f64)> = (oldest..count).filter_map(value).filter(|(at, _)| *at >= start && *at < end).collect();
    if newest_first {
        points.reverse();
    }
    points
}

/// A time of a request, in ms.
fn moment(body: &Value, key: &str) -> Result<Ms, ApiError> {
    let seconds = body.get(key).and_then(Value::as_f64).ok_or_else(|| required(key))?;
    if !(0.0..=32_503_680_000.0).contains(&seconds) {
        return Err(invalid(format!("The parameter {key} must be a time.")));
    }
    // Ms of any year up to 3000 have 45 bits.
    #[allow(clippy::cast_possible_truncation)]
    let ms = (seconds * 1000.0) as Ms;
    Ok(ms)
}

fn offset(token: &str) -> Option<usize> {
    String::from_utf8(STANDARD.decode(token).ok()?).ok()?.strip_prefix("points:")?.parse().ok()
}

fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str)
}

fn texts<'a>(body: &'a Value, key: &str) -> Vec<&'a str> {
    body.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn invalid(message: impl Into<String>) -> ApiError {
    refuse(400, "InvalidParameterValueException", message)
}

fn required(member: &str) -> ApiError {
    refuse(400, "MissingRequiredParameterException", format!("The parameter {member} is required."))
}
