//! What the program adds to every SDK call: AWS's clock, the repaired host of Live Tail, and the raw reply for the JSON view.

use aws_sdk_sts::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Learns AWS's clock from the `Date` of its replies.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// What to add to the local clock, in milliseconds.
    pub fn skew_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes in the `Date` of a reply.
    pub(super) fn learn(&self, date: &str, now: Timestamp) {
        let Ok(date) = jiff::fmt::rfc2822::parse(date) else { return };
        // The header is cut to seconds: on average it is half a second old when it is written.
        let skew = date.timestamp().as_millisecond() + 500 - now.as_millisecond();
        let known = self.skew_ms();
        // Less than that is the header's own coarseness; following it would make ages tremble.
        if (skew - known).abs() > 1500 {
            self.0.store(if skew.abs() > 1500 { skew } else { 0 }, Ordering::Relaxed);
        }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Clock {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.learn(date, Timestamp::now());
        }
        Ok(())
    }
}

/// Takes the `stream-` off the host of `StartLiveTail` where AWS is not behind it. The SDK puts it before any host, custom
/// endpoints and private endpoints too, and has no switch for it.
#[derive(Debug)]
pub struct StreamHost;

#[dyn_dispatch_hint]
impl Intercept for StreamHost {
    fn name(&self) -> &'static str {
        "StreamHost"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        if let Some(uri) = without_stream_prefix(request.uri()) {
            request.set_uri(uri)?;
        }
        Ok(())
    }
}

fn without_stream_prefix(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let rest = rest.strip_prefix("stream-")?;
    let host = rest.split(['/', ':', '?']).next().unwrap_or(rest);
    let public =
        [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|domain| host.ends_with(domain)) && !host.contains(".vpce.");
    (!public).then(|| format!("{scheme}://{rest}"))
}

/// Keeps the body of one reply as it came.
#[derive(Clone, Debug, Default)]
pub struct Body(Arc<Mutex<Option<Vec<u8>>>>);

impl Body {
    /// The body, once.
    pub fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[dyn_dispatch_hint]
impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = context.response().body().bytes().map(<[u8]>::to_vec);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_prefix_goes_on_custom_endpoints_and_stays_on_aws() {
        assert_eq!(without_stream_prefix("http://stream-127.0.0.1:5602/"), Some("http://127.0.0.1:5602/".to_owned()));
        assert_eq!(without_stream_prefix("http://stream-localhost:4566/"), Some("http://localhost:4566/".to_owned()));
        assert_eq!(without_stream_prefix("https://stream-logs.eu-west-1.amazonaws.com/"), None);
        assert_eq!(without_stream_prefix("https://logs.eu-west-1.amazonaws.com/"), None);
        let private = "https://stream-vpce-0a-1b.logs.eu-west-1.vpce.amazonaws.com/";
        assert_eq!(without_stream_prefix(private), Some("https://vpce-0a-1b.logs.eu-west-1.vpce.amazonaws.com/".to_owned()));
    }

    #[test]
    fn a_clock_that_is_off_is_learnt_and_a_second_of_coarseness_is_not() {
        let clock = Clock::default();
        let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        clock.learn("Sat, 21 Nov 2026 07:59:59 GMT", now);
        assert_eq!(clock.skew_ms(), 0);
        clock.learn("Sat, 21 Nov 2026 08:05:00 GMT", now);
        assert_eq!(clock.skew_ms(), 300_500);
        clock.learn("Sat, 21 Nov 2026 08:05:01 GMT", now);
        assert_eq!(clock.skew_ms(), 300_500);
        clock.learn("Sat, 21 Nov 2026 08:00:00 GMT", now);
        assert_eq!(clock.skew_ms(), 0);
        clock.learn("yesterday", now);
        assert_eq!(clock.skew_ms(), 0);
    }
}
