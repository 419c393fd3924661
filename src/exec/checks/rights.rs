//! What IAM says of the rights that a session needs: the caller's, and those of the role that the agent in the task acts as.
//!
//! The simulator sees the policies of a user or role. It does not see policies of keys and buckets, and conditions only as far as the question
//! has their keys: what rests on those is a warning, never a failure.

use super::list::{check, failed, missing, unknown, warn};
use super::looked::{AGENT, BUCKET, Caller, LOGS, allowed, principal};
use super::{Check, Facts, Finding, Known, look};
use crate::model::{Decision, Right, RightsAsked, Str};

/// What follows from all answers to some questions.
enum Judged {
    /// Everything is allowed.
    Allowed,
    /// Something is not: which right, and whether that is for certain.
    Refused(Vec<Right>),
    /// It is not known.
    Open(Known<()>),
}

/// What is not allowed goes before what is not known.
fn judge(facts: &Facts, questions: &[RightsAsked]) -> Judged {
    let answers: Vec<Known<Vec<Right>>> = questions.iter().map(|asked| facts.answer(asked)).collect();
    let rights = answers.iter().filter_map(Known::yes).flatten();
    let refused: Vec<Right> = rights.filter(|right| !allowed(right)).cloned().collect();
    if !refused.is_empty() {
        return Judged::Refused(refused);
    }
    let open = answers.iter().find(|answer| answer.yes().is_none()).map(Known::same::<()>);
    open.map_or(if questions.is_empty() { Judged::Open(Known::Reading) } else { Judged::Allowed }, Judged::Open)
}

/// Why a right is not there.
fn why(right: &Right) -> String {
    match right.decision {
        // Of the conditions of such policies the simulator does not even say that it could not see them.
        _ if right.by_organization => "the organisation's policies do not allow it, as far as IAM's simulator sees them".to_owned(),
        Decision::ExplicitDeny if right.missing.is_empty() => "a statement denies it".to_owned(),
        _ if right.by_boundary => "the permissions boundary does not allow it".to_owned(),
        _ if !right.missing.is_empty() => format!("that depends on {}", right.missing.join(", ")),
        _ => "no statement allows it".to_owned(),
    }
}

/// Every reason once, with the actions that it holds for.
fn reasons(refused: &[Right]) -> String {
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    for right in refused {
        let reason = why(right);
        match told.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, actions)) if actions.contains(&&*right.action) => {}
            Some((_, actions)) => actions.push(&right.action),
            None => told.push((reason, vec![&right.action])),
        }
    }
    let one = |(reason, actions): (String, Vec<&str>)| {
        let actions = if actions == AGENT { "the four actions of ssmmessages".to_owned() } else { actions.join(", ") };
        format!("{actions}: {reason}")
    };
    told.into_iter().map(one).collect::<Vec<_>>().join(" · ")
}

/// The statements to add, one for each set of resources, or who else must allow it.
fn mend(who: &str, refused: &[Right], resources: &dyn Fn(&Right) -> Vec<String>) -> String {
    let mut wanted: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for right in refused {
        let (on, action) = (resources(right), right.action.to_string());
        match wanted.iter_mut().find(|(known, _)| *known == on) {
            Some((_, actions)) if actions.contains(&action) => {}
            Some((_, actions)) => actions.push(action),
            None => wanted.push((on, vec![action])),
        }
    }
    // With blanks, so that a narrow screen breaks it between its parts.
    let quoted = |texts: &[String]| texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ");
    let one = |(on, actions): &(Vec<String>, Vec<String>)| {
        format!("{{ \"Effect\": \"Allow\", \"Action\": [{}], \"Resource\": [{}] }}", quoted(actions), quoted(on))
    };
    let statement = wanted.iter().map(one).collect::<Vec<_>>().join(", ");
    let who = who.rsplit('/').next().unwrap_or(who);
    // IAM lets nobody but Identity Center change a role that it made.
    let who = &*look::permission_set(who).map_or_else(|| who.to_owned(), |set| format!("the permission set {set} of IAM Identity Center"));
    if refused.iter().all(|right| right.by_organization) {
        return format!("if it fails, ask whoever keeps the organisation's policies to let {who} do it here");
    }
    if refused.iter().any(denied) {
        return format!("find the statement that denies it to {who}, and see that there is {statement}");
    }
    let more = match refused {
        all if all.iter().any(|right| right.by_organization) => "; the organisation's policies must allow it too",
        all if all.iter().any(|right| right.by_boundary) => "; its permissions boundary must allow it too",
        _ => "",
    };
    format!("add to {who}: {statement}{more}")
}

/// Whether what is refused is refused for certain.
fn certain(refused: &[Right]) -> bool {
    refused.iter().any(|right| right.missing.is_empty() && !right.by_organization)
}

/// Whether a statement of the principal's own policies denies it.
fn denied(right: &Right) -> bool {
    right.decision == Decision::ExplicitDeny && right.missing.is_empty() && !right.by_organization
}

/// What is not known, with the line that lets somebody else look.
fn open(what: &'static str, of: &Known<()>, look: String) -> Check {
    match of {
        Known::Denied(action) => {
            let told = format!("may not look: AccessDenied for {action}");
            check(what, told, Finding::MayNotLook { action: action.clone(), look: Some(look) })
        }
        Known::Failed(why) => check(what, format!("could not be read: {why}"), unknown(look)),
        Known::None => check(what, "IAM does not tell", unknown(look)),
        Known::Yes(()) | Known::Reading => missing(what, of),
    }
}

pub(super) fn caller(facts: &Facts) -> Check {
    let what = "caller's rights";
    let needed = ["ecs:ExecuteCommand", "ssmmessages:OpenDataChannel"];
    let refused: Vec<&Str> = facts.refused.iter().filter(|action| needed.contains(&&***action)).collect();
    if let Some(action) = refused.first() {
        // It may have been for another task, or before the right was granted: the gate knows for which, and for how long.
        let found = check(what, format!("AWS refused {action} before"), failed(format!("ask for {action}: {}", resource(facts, action))));
        return surmise(found);
    }
    let identity = match &facts.caller {
        Known::Yes(identity) => identity,
        other => return missing(what, other),
    };
    let who = match principal(&identity.arn) {
        Caller::Principal(who) => who,
        Caller::Root => return check(what, "the account's root may do everything that the organisation allows", Finding::Passed),
        Caller::Unknown => {
            return check(what, "IAM's simulator knows only users and roles", unknown("ask for the two rights of exec, if it fails"));
        }
    };
    let (exec, session) = (facts.asks_exec(), facts.asks_session());
    let questions: Vec<RightsAsked> = [exec, session].into_iter().flatten().collect();
    let look = || {
        let (task, cluster) = (facts.task.arn.to_string(), facts.task.cluster.to_string());
        format!("{}; {}", look::may(&who, needed[0], &[task, cluster]), look::may(&who, needed[1], &[facts.session()]))
    };
    let rights = match judge(facts, &questions) {
        Judged::Allowed => return check(what, "IAM allows ecs:ExecuteCommand and ssmmessages:OpenDataChannel", Finding::Passed),
        Judged::Open(of) => return open(what, &of, look()),
        Judged::Refused(rights) => rights,
    };
    let (grave, light): (Vec<Right>, Vec<Right>) = rights.into_iter().partition(|right| needed.contains(&&*right.action));
    if grave.is_empty() {
        let fix = mend(&who, &light, &|_| sessions(facts));
        return check(
            what,
            format!("a session that loses its line cannot be resumed, or ended at the other end: {}", reasons(&light)),
            warn(fix),
        );
    }
    let of_session = grave.iter().any(|right| right.action.starts_with("ssmmessages:"));
    let resources = |right: &Right| {
        if !right.action.starts_with("ecs:") {
            return sessions(facts);
        }
        let task = facts.task.arn.as_str();
        let tasks = task.rsplit_once('/').map_or(task.to_owned(), |(head, _)| format!("{head}/*"));
        vec![tasks, facts.task.cluster.to_string()]
    };
    // AWS's example allows session/${aws:userid}-*, and no session that ECS makes is called so.
    let by_name = grave.iter().all(|right| right.missing.iter().any(|key| matches!(&**key, "aws:userid" | "aws:username")));
    let fix = mend(&who, &grave, &resources);
    if by_name && of_session {
        let told = "ssmmessages:OpenDataChannel is allowed on sessions called by the user; those of exec are called ecs-execute-command-…";
        return surmise(check(what, told, failed(fix)));
    }
    let told = format!("IAM does not allow {}", reasons(&grave));
    if certain(&grave) { surmise(check(what, told, failed(fix))) } else { check(what, told, warn(fix)) }
}

fn sessions(facts: &Facts) -> Vec<String> {
    vec![format!("arn:{}:ssm:*:*:session/ecs-execute-command-*", facts.partition())]
}

/// The simulator is no more than a good guess: who opens a session all the same is not kept from it.
fn surmise(check: Check) -> Check {
    Check { surmise: true, ..check }
}

fn resource(facts: &Facts, action: &str) -> String {
    if action.starts_with("ssmmessages:") {
        // A policy on session/${aws:userid}-* does not match a session that ECS made.
        return format!("on {}", sessions(facts).concat());
    }
    format!("on the task {} and on its cluster {}", facts.task.arn.name(), facts.task.cluster.name())
}

/// Port forwarding: nothing that a shell needs, and refused on purpose in many places.
pub(super) fn forwarding(facts: &Facts) -> Option<Check> {
    let what = "port forwarding";
    let question = facts.asks_forward()?;
    let aside = |told: String| Some(check(what, told, Finding::Aside));
    match judge(facts, std::slice::from_ref(&question)) {
        Judged::Allowed => Some(check(what, "IAM allows ssm:StartSession", Finding::Passed)),
        Judged::Refused(rights) => aside(format!("not allowed, and a shell does not need it: {}", reasons(&rights))),
        // The caller's rights have said why.
        Judged::Open(Known::Reading) => Some(missing(what, &Known::<()>::Reading)),
        Judged::Open(_) => None,
    }
}

pub(super) fn agent(facts: &Facts) -> Check {
    let what = "role's rights";
    let role = match facts.agent_role() {
        Known::Yes(role) => role,
        Known::None => {
            let rights = AGENT.join(" ");
            return check(what, "there is no role to look at", unknown(format!("whichever role the agent acts as needs {rights}")));
        }
        other => return missing(what, &other),
    };
    let questions: Vec<RightsAsked> = facts.asks_agent().into_iter().collect();
    let stranded = facts.stranded();
    let look = || look::may(&role, &AGENT.join(" "), &[]);
    match judge(facts, &questions) {
        Judged::Allowed => check(what, "IAM allows the four actions of ssmmessages", Finding::Passed),
        Judged::Refused(rights) => {
            let fix = format!("{}, then start a new task", mend(&role, &rights, &|_| vec!["*".to_owned()]));
            let told = format!("IAM does not allow {}", reasons(&rights));
            if certain(&rights) { surmise(check(what, told, failed(fix))) } else { check(what, told, warn(fix)) }
        }
        Judged::Open(Known::Reading) => missing(what, &Known::<()>::Reading),
        Judged::Open(of) if stranded => {
            let told = match &of {
                Known::Denied(action) => format!("; may not look: AccessDenied for {action}"),
                _ => String::new(),
            };
            check(what, format!("a likely cause: the agent cannot register{told}"), warn(look()))
        }
        Judged::Open(of) => open(what, &of, look()),
    }
}

pub(super) fn encryption(facts: &Facts) -> Check {
    let what = "encryption";
    let cluster = match &facts.cluster {
        Known::Yes(cluster) => cluster,
        other => return missing(what, other),
    };
    let Some(key) = &cluster.exec.key else { return check(what, "TLS; the cluster names no key of KMS", Finding::Passed) };
    let told = format!("with KMS key {key}");
    let seen = facts.key_seen();
    if let Known::Yes(found) = &seen
        && matches!(&*found.state, "Disabled" | "PendingDeletion" | "PendingReplicaDeletion" | "PendingImport" | "Unavailable")
    {
        let fix = "enable the key, or name another one in the cluster's executeCommandConfiguration";
        return check(what, format!("{told}, which is {}", found.state), failed(fix));
    }
    if let Known::Failed(why) = &seen
        && why.contains("NotFound")
    {
        return check(what, format!("{told}: {why}"), failed("name a key that there is in the cluster's executeCommandConfiguration"));
    }
    let needs = "you need kms:GenerateDataKey on it, the task role kms:Decrypt";
    let role = facts.agent_role();
    let role: &str = role.yes().map_or("TASK_ROLE_ARN", |role| role);
    let me = me(facts);
    let look = || {
        let key = [look::key(facts, key)];
        format!("{}; {}", look::may(&me, "kms:GenerateDataKey", &key), look::may(role, "kms:Decrypt", &key))
    };
    let questions: Vec<RightsAsked> = [facts.asks_data_key(), facts.asks_decrypt()].into_iter().flatten().collect();
    let waiting = [facts.caller.same::<()>(), facts.agent_role().same()].iter().any(|of| matches!(of, Known::Reading));
    match &seen {
        Known::Reading => return missing(what, &Known::<()>::Reading),
        // Behind an alias there is nothing that IAM could be asked about.
        Known::Denied(action) if questions.is_empty() && !waiting => {
            let told = format!("{told}: {needs}; may not look: AccessDenied for {action}");
            return check(what, told, Finding::MayNotLook { action: action.clone(), look: Some(look()) });
        }
        _ if waiting => return missing(what, &Known::<()>::Reading),
        _ => {}
    }
    match judge(facts, &questions) {
        Judged::Allowed if questions.len() == 2 => {
            check(what, format!("{told}: IAM allows you kms:GenerateDataKey and the task role kms:Decrypt"), Finding::Passed)
        }
        Judged::Refused(rights) => {
            let (mine, its): (Vec<Right>, Vec<Right>) = rights.iter().cloned().partition(|right| &*right.action == "kms:GenerateDataKey");
            let fixes = [(me.as_str(), mine), (role, its)];
            let fixes = fixes.iter().filter(|(_, rights)| !rights.is_empty());
            let fix =
                fixes.map(|(who, rights)| mend(who, rights, &|right| vec![right.resource.to_string()])).collect::<Vec<_>>().join("; ");
            let told = format!("{told}: IAM does not allow {}", reasons(&rights));
            if rights.iter().any(denied) {
                surmise(check(what, told, failed(fix)))
            } else {
                check(what, format!("{told}; the key's own policy may"), warn(fix))
            }
        }
        Judged::Open(Known::Reading) if !questions.is_empty() => missing(what, &Known::<()>::Reading),
        Judged::Open(Known::Denied(action)) => {
            let told = format!("{told}: {needs}; may not look: AccessDenied for {action}");
            check(what, told, Finding::MayNotLook { action, look: Some(look()) })
        }
        // Where IAM can be asked about one end alone, the other is not known.
        Judged::Allowed | Judged::Open(_) => check(what, format!("{told}: {needs}"), unknown(look())),
    }
}

fn me(facts: &Facts) -> String {
    match facts.caller.yes().map(|caller| principal(&caller.arn)) {
        Some(Caller::Principal(who)) => who.to_string(),
        _ => "YOUR_ROLE_ARN".to_owned(),
    }
}

pub(super) fn recording(facts: &Facts) -> Option<Check> {
    let what = "session log";
    let cluster = facts.cluster.yes()?;
    let told = super::audit(facts);
    let own = cluster.exec.logging.as_deref() != Some("OVERRIDE");
    let group = facts.recorded_in();
    if own && group.is_none() {
        return Some(check(what, told, Finding::Passed));
    }
    let told = format!("{told}; the image needs script and cat");
    let groups = if group.is_some() { &LOGS[..] } else { &[] };
    let buckets = if cluster.exec.bucket.is_some() && !own { &BUCKET[..] } else { &[] };
    let actions: Vec<&str> = groups.iter().chain(buckets).copied().collect();
    let role = facts.agent_role();
    if matches!(role, Known::Reading) {
        return Some(missing(what, &Known::<()>::Reading));
    }
    let role: &str = role.yes().map_or("TASK_ROLE_ARN", |role| role);
    let look = || look::may(role, &actions.join(" "), &[]);
    Some(match judge(facts, &facts.asks_recording()) {
        Judged::Allowed => check(what, format!("{told}; IAM allows the task role to write there"), Finding::Passed),
        Judged::Refused(rights) => {
            let fix = mend(role, &rights, &|right| {
                vec![right.resource.replace(":log-stream:ecs-execute-command-0", ":*").replace("/ecs-execute-command-0", "/*")]
            });
            // A bucket's own policy may allow what the role's does not; and without the container's own group a session opens all the same.
            let certain = !own && certain(&rights) && rights.iter().any(|right| right.action.starts_with("logs:"));
            let told = format!("{told}; IAM does not allow {}", reasons(&rights));
            if certain { surmise(check(what, told, failed(fix))) } else { check(what, told, warn(fix)) }
        }
        Judged::Open(Known::Reading) if role != "TASK_ROLE_ARN" => missing(what, &Known::<()>::Reading),
        Judged::Open(Known::Denied(action)) => {
            check(what, format!("{told}; may not look: AccessDenied for {action}"), Finding::MayNotLook { action, look: Some(look()) })
        }
        Judged::Open(_) => check(what, told, unknown(look())),
    })
}
