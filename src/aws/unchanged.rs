//! Knows a reply again that is the very same as the one before it, byte for byte, so that it is not parsed. A fleet is described again
//! every few seconds, and nearly all of it has not changed: parsing would be most of what the program does.

use aws_sdk_sts::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_sts::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use foldhash::quality::FixedState;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, PoisonError};

/// What the SDK parses in place of a reply that is the same: JSON that tells nothing.
const NOTHING: &[u8] = b"{}";

/// Stands for something that is too long to be kept. Two things have the same one by a chance of 1 in 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Digest(u64);

impl Digest {
    /// The digest of a thing; the same in this process alone.
    pub(super) fn of<T: Hash + ?Sized>(of: &T) -> Digest {
        Digest(FixedState::default().hash_one(of))
    }
}

/// Looks at the reply of one call.
#[derive(Clone, Debug)]
pub(super) struct Unchanged {
    last: Option<Digest>,
    seen: Arc<Mutex<Option<Digest>>>,
}

impl Unchanged {
    /// For a call whose last reply was `last`. Where the reply is that again, the call's output is empty.
    pub(super) fn since(last: Option<Digest>) -> Self {
        Unchanged { last, seen: Arc::default() }
    }

    /// What the reply was, if it was a success.
    pub(super) fn seen(&self) -> Option<Digest> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the reply was the last one again, so that the output of the call tells nothing.
    pub(super) fn same(&self) -> bool {
        self.last.is_some() && self.seen() == self.last
    }

    fn look(&self, body: Bytes) -> Bytes {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Digest::of(&body));
        if self.same() { Bytes::from_static(NOTHING) } else { body }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Unchanged {
    fn name(&self) -> &'static str {
        "Unchanged"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reply = context.response_mut();
        if reply.status().is_success() {
            let (look, body) = (self.clone(), std::mem::replace(reply.body_mut(), SdkBody::taken()));
            let read = async move { Ok::<_, BoxError>(Frame::data(look.look(body.collect().await?.to_bytes()))) };
            *reply.body_mut() = SdkBody::from_body_1_x(StreamBody::new(stream::once(read)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Options, Sim};
    use aws_sdk_ecs::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_ecs::error::ProvideErrorMetadata;

    #[tokio::test]
    async fn a_reply_that_comes_again_is_known_and_nothing_of_it_is_parsed() {
        let sim = Sim::start(Options { speed: 0.0, ..Options::default() }).unwrap();
        let context = sim.contexts()[0].clone();
        let config = aws_sdk_ecs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(context.region))
            .endpoint_url(sim.endpoint())
            .credentials_provider(Credentials::new(context.access_key, context.secret_key, None, None, "test"))
            .http_client(crate::aws::http::client())
            .build();
        let client = aws_sdk_ecs::Client::from_conf(config);
        let ask = async |name: &str, look: &Unchanged| {
            client.describe_clusters().clusters(name).customize().interceptor(look.clone()).send().await
        };
        let listed = client.list_clusters().send().await.unwrap();
        let name = &*listed.cluster_arns()[0];
        let first = Unchanged::since(None);
        assert_eq!(ask(name, &first).await.unwrap().clusters().len(), 1);
        assert!(first.seen().is_some() && !first.same());
        let again = Unchanged::since(first.seen());
        assert!(ask(name, &again).await.unwrap().clusters().is_empty(), "an empty output stands for it");
        assert!(again.same());
        let other = Unchanged::since(first.seen());
        assert_eq!(ask("nowhere", &other).await.unwrap().failures().len(), 1);
        assert!(other.seen().is_some() && !other.same());
        let refused = Unchanged::since(first.seen());
        let error = client.list_services().cluster("nowhere").customize().interceptor(refused.clone()).send().await.unwrap_err();
        assert_eq!(error.code(), Some("ClusterNotFoundException"), "a refusal is parsed as it came");
        assert_eq!(refused.seen(), None);
    }
}
