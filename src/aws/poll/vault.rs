//! Whether parameters and secrets that containers read are there. Parameters are asked for without decryption, because nothing else tells
//! of ten at once; what the reply holds beside their names is dropped where it comes in.

use super::super::api::{Api, Call};
use super::super::connect::Sdk;
use super::super::direct::Service;
use super::super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::feed::Value;
use crate::model::{Held, Kept, Str};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// `GetParameters` takes so many names.
const TOGETHER: usize = 10;

/// What is known of each, in the order of the question. What may not be read is told as such, one by one: it is no failure of the feed.
pub(in crate::aws) async fn vault(api: &Api, from: &Arc<[Str]>, priority: Priority) -> Result<Value, AwsError> {
    let mut by_region: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut secrets: Vec<(&str, &str)> = Vec::new();
    for kept in from.iter().map(|from| Kept::parse(from)) {
        match kept {
            Kept::Parameter(name, region) => {
                let names = by_region.entry(region.unwrap_or(api.region())).or_default();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            Kept::Secret(arn, region) if !secrets.iter().any(|(known, _)| *known == arn) => secrets.push((arn, region)),
            Kept::Secret(..) => {}
        }
    }
    let chunks = by_region.iter().flat_map(|(region, names)| names.chunks(TOGETHER).map(|names| (*region, names)));
    let parameters = join_all(chunks.map(|(region, names)| parameters(api, region, names, priority)));
    let secrets = join_all(secrets.into_iter().map(async |(arn, region)| (arn, secret(api, region, arn, priority).await)));
    let (parameters, secrets) = futures_util::future::join(parameters, secrets).await;
    let mut known: HashMap<&str, Held> = HashMap::new();
    for part in parameters {
        known.extend(part?);
    }
    for (arn, held) in secrets {
        known.insert(arn, held?);
    }
    let of = |from: &Str| {
        let (Kept::Parameter(key, _) | Kept::Secret(key, _)) = Kept::parse(from);
        known.get(key).cloned().unwrap_or_else(|| Held::Untold("AWS did not say".into()))
    };
    Ok(Value::Vault(Arc::new(from.iter().map(of).collect())))
}

/// What AWS refused to tell; what did not get through is asked again by the poll.
fn untold(error: AwsError) -> Result<Held, AwsError> {
    match error.kind {
        ErrorKind::Denied => Ok(Held::Untold(format!("AccessDenied for {}", error.action).into())),
        ErrorKind::Invalid | ErrorKind::NotFound => Ok(Held::Untold(error.came().into())),
        _ => Err(error),
    }
}

/// What is read of the answer about parameters: not their values.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Parameters {
    invalid_parameters: Option<Vec<String>>,
}

/// What is read of the answer about a secret.
#[derive(Deserialize)]
struct Secret {
    #[serde(rename = "DeletedDate")]
    deleted_date: Option<f64>,
}

async fn parameters<'a>(api: &Api, region: &str, names: &[&'a str], priority: Priority) -> Result<Vec<(&'a str, Held)>, AwsError> {
    let what = format!("look for {} parameters", names.len());
    let call = Call { throttle: Throttle::Parameters, priority, action: "ssm:GetParameters", what: &what };
    let members = &json!({ "Names": names, "WithDecryption": false });
    let ask = |sdk: Arc<Sdk>| async move { sdk.direct.json(Service::Ssm, region, "GetParameters", members).await };
    let answer: Parameters = match api.call(call, ask).await {
        Ok(answer) => answer,
        Err(error) => {
            let held = untold(error)?;
            return Ok(names.iter().map(|name| (*name, held.clone())).collect());
        }
    };
    let held = |name: &&'a str| {
        let gone = answer.invalid_parameters.iter().flatten().any(|invalid| invalid == name);
        (*name, if gone { Held::Gone("Parameter Store has no such parameter".into()) } else { Held::There })
    };
    Ok(names.iter().map(held).collect())
}

async fn secret(api: &Api, region: &str, arn: &str, priority: Priority) -> Result<Held, AwsError> {
    let what = format!("look for the secret {}", convert::clean(Kept::parse(arn).name()));
    let call = Call { throttle: Throttle::Secrets, priority, action: "secretsmanager:DescribeSecret", what: &what };
    let members = &json!({ "SecretId": arn });
    let ask = |sdk: Arc<Sdk>| async move { sdk.direct.json(Service::SecretsManager, region, "DescribeSecret", members).await };
    match api.call(call, ask).await {
        // One that is to be deleted is described still, and read no more.
        Ok(Secret { deleted_date: Some(_) }) => Ok(Held::Gone("it is scheduled for deletion".into())),
        Ok(_) => Ok(Held::There),
        Err(error) if error.code.as_deref() == Some("ResourceNotFoundException") => {
            Ok(Held::Gone("Secrets Manager has no such secret".into()))
        }
        Err(error) => untold(error),
    }
}
