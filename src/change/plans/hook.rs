//! A deployment that waits for somebody: a lifecycle hook of ECS, or a wait of CodeDeploy.

use super::{Controller, Facts, RollBack, change, roll_back, step};
use crate::change::{Basis, Call, Note, Plan, Verb};
use crate::model::Arn;

/// Lets a deployment that waits go on, or sends it back.
///
/// # Errors
/// One line: what is not known yet, or that nothing waits.
pub fn answer_hook(facts: &Facts, service: &Arn, back: bool) -> Result<Plan, String> {
    let known = facts.service(service)?;
    let nothing = || format!("no deployment of {} waits for an answer", known.name);
    let mut plan = facts.plan_for(Verb::Continue, known);
    plan.inverse = Err("the deployment goes on: roll it back instead");
    match Controller::of(known) {
        Controller::Ecs => {
            let records = facts.store.service_deployments(facts.ctx, service).ok_or("still reading the deployments")?;
            let waiting = |status: &str| status == "AWAITING_ACTION";
            let found = records.iter().find_map(|record| Some((record, record.hooks.iter().find(|hook| waiting(&hook.status))?)));
            let (record, hook) = found.ok_or_else(nothing)?;
            let stage = record.lifecycle_stage.as_deref().unwrap_or("its stage");
            plan.changes.push(change("hook", &format!("waits at {stage}"), &if back { "ROLLBACK" } else { "CONTINUE" }));
            if let Some(at) = hook.expires_at {
                let left = crate::duration::short(at.as_second() - facts.now.as_second());
                let then = hook.on_timeout.as_deref().unwrap_or("ROLLBACK");
                plan.notes.push(Note::info(format!("without an answer AWS decides in {left}: {then}")));
            }
            if &*hook.kind != "PAUSE" && !hook.kind.is_empty() {
                plan.notes.push(Note::warning(format!("the hook is of {}: its function may answer too", hook.kind)));
            }
            plan.basis.push(Basis::Deployment { arn: record.arn.clone(), status: record.status.clone() });
            let call = Call::ContinueServiceDeployment { deployment: record.arn.clone(), hook: hook.id.clone(), roll_back: back };
            plan.steps.push(step(call, format!("{} the deployment of {}", if back { "roll back" } else { "continue" }, known.name)));
        }
        Controller::CodeDeploy if back => return roll_back(facts, service, &RollBack::StopDeployment),
        Controller::CodeDeploy => {
            let (id, code) = facts.code_under_way(known).ok_or_else(nothing)?;
            let code = code.ok_or_else(|| format!("still reading CodeDeploy deployment {id}"))?;
            let shifted = code
                .events
                .iter()
                .any(|event| matches!(&*event.name, "AllowTraffic" | "AfterAllowTraffic") && &*event.status == "Succeeded");
            let wait = match &*code.status {
                "Ready" if !shifted => "READY_WAIT",
                "Ready" | "InProgress" if shifted && code.waits.0.is_some_and(|minutes| minutes > 0) => "TERMINATION_WAIT",
                _ => return Err(nothing()),
            };
            if wait == "READY_WAIT" {
                plan.changes.push(change("traffic", &"waits before it moves", &"moves now"));
            } else {
                plan.changes.push(change("old tasks", &"kept for a while", &"end now"));
                plan.notes.push(Note::warning("with the old tasks goes the quick way back".to_owned()));
            }
            plan.basis.push(Basis::Code { id: id.clone(), status: code.status.clone() });
            plan.steps.push(step(Call::ContinueDeployment { id: id.clone(), wait }, format!("continue CodeDeploy deployment {id}")));
        }
        Controller::External => return Err(nothing()),
    }
    Ok(plan)
}
