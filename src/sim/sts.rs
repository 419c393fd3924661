//! The security token service: who am I, and credentials for a role.

use super::ecs::ApiError;
use super::exec;
use super::iam;
use super::rng;
use super::wire::{iso, refuse};
use super::world::{Context, Ms, World};
use serde_json::{Value, json};

/// Seconds for which credentials of a role hold unless the caller says otherwise.
const DEFAULT_DURATION: i64 = 3600;

/// Credentials that `AssumeRole` has given out and that have not been gone for long.
#[derive(Debug, Default)]
pub(super) struct Roles {
    given: Vec<Context>,
    count: u64,
}

impl Roles {
    /// Who holds an access key.
    pub(super) fn context(&self, access_key: &str) -> Option<&Context> {
        self.given.iter().find(|context| context.access_key == access_key)
    }
}

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(roles: &mut Roles, world: &World, caller: &Context, operation: &str, body: &Value) -> Result<Value, ApiError> {
    match operation {
        "GetCallerIdentity" => Ok(json!({
            "Arn": caller.caller_arn(),
            "UserId": format!("{}:{}", role_id(&caller.account, &caller.role), caller.session),
            "Account": caller.account,
        })),
        "AssumeRole" => assume(roles, world, caller, body),
        _ => Err(refuse(400, "InvalidAction", format!("Could not find operation {operation} for version 2011-06-15"))),
    }
}

fn assume(roles: &mut Roles, world: &World, caller: &Context, body: &Value) -> Result<Value, ApiError> {
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let required = |key: &'static str, member: &str| {
        text(key).filter(|value| !value.is_empty()).ok_or_else(|| {
            let message =
                format!("1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null");
            refuse(400, "ValidationError", message)
        })
    };
    let (arn, session) = (required("RoleArn", "roleArn")?, required("RoleSessionName", "roleSessionName")?);
    let seconds = match text("DurationSeconds").map(str::parse::<i64>) {
        None => DEFAULT_DURATION,
        Some(Ok(seconds)) if (900..=43_200).contains(&seconds) => seconds,
        Some(_) => {
            return Err(refuse(
                400,
                "ValidationError",
                "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint: \
                 Member must have value between 900 and 43200",
            ));
        }
    };
    let Some((account, role)) = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/")) else {
        return Err(refuse(400, "ValidationError", format!("{arn} is invalid")));
    };
    // The role may carry a path; its name is the last part. Only roles of the scenario can be assumed.
    let name = role.rsplit('/').next().unwrap_or(role);
    let known = world.contexts.iter().find(|context| context.account == account && context.role == name);
    let known = known.ok_or_else(|| refuse(403, "AccessDenied", iam::denial(&caller.caller_arn(), "sts:AssumeRole", Some(arn))))?;
    let now = world.now();
    roles.given.retain(|context| context.expires_at.is_none_or(|end| end + 3_600_000 > now));
    roles.count += 1;
    let given = credentials(known, session, world.seed, roles.count, now + seconds * 1000);
    let answer = json!({
        "Credentials": {
            "AccessKeyId": given.access_key,
            "SecretAccessKey": given.secret_key,
            "SessionToken": given.session_token,
            "Expiration": iso(now + seconds * 1000),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": format!("{}:{session}", role_id(account, name)),
            "Arn": given.caller_arn(),
        },
    });
    roles.given.push(given);
    Ok(answer)
}

fn credentials(known: &Context, session: &str, seed: u64, count: u64, expires_at: Ms) -> Context {
    let draw = |label: &str, length: usize| letters(rng::mix(seed ^ rng::hash(&format!("{label}/{count}"))), length);
    Context {
        access_key: format!("ASIA{}", draw("key", 16)),
        // These open shells, so no seed may tell them.
        secret_key: exec::secret()[..40].to_owned(),
        session_token: Some(format!("IQoJb3JpZ2luX2Vj{}", exec::secret())),
        expires_at: Some(expires_at),
        session: session.to_owned(),
        ..known.clone()
    }
}

fn role_id(account: &str, role: &str) -> String {
    format!("AROA{}", letters(rng::hash(&format!("{account}/{role}")), 17))
}

/// Letters and digits as in AWS's ids, drawn from `seed`.
fn letters(seed: u64, length: usize) -> String {
    const ALPHABET: [char; 32] = [
        'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
        '2', '3', '4', '5', '6', '7',
    ];
    let draw = |at: usize| rng::mix(seed.wrapping_add(at as u64)) % 32;
    (0..length).map(|at| ALPHABET[usize::try_from(draw(at)).expect("it is below 32")]).collect()
}
