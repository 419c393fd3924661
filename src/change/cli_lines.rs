//! The commands of the AWS CLI that do what a plan does, quoted for a shell, one line for each call.
//!
//! A value in a task definition that looks like a secret is not among them: the shell fills it in, and the line refuses to run until it
//! can. So the lines may be shown, copied and kept.

use super::{Call, Plan, Register, Revision, ServiceChange, app_spec};
use crate::text::secret::looks_secret;
use serde_json::{Value, json};

/// The variable that holds the revision which an earlier line registers.
const REGISTERED: &str = "TASK_DEFINITION";

/// What stands in a JSON text where the shell is to put a variable's value: a code point that is no character, in no text of anybody's.
const MARK: char = '\u{fdd0}';

/// The commands, in order, with the region and the profile; without one the default credentials count.
#[must_use]
pub fn lines(plan: &Plan) -> Vec<String> {
    let mut beside = Words::default();
    if !plan.region.is_empty() {
        beside.pair("--region", &plan.region);
    }
    if let Some(profile) = &plan.profile {
        beside.pair("--profile", profile);
    }
    let line = |call: &Call| {
        let mut words = words(call);
        if matches!(call, Call::RegisterTaskDefinition(_)) {
            words.pair("--query", "taskDefinition.taskDefinitionArn").pair("--output", "text");
            return format!("{REGISTERED}=$({} {})", words.0, beside.0);
        }
        format!("{} {}", words.0, beside.0).trim_end().to_owned()
    };
    plan.steps.iter().map(|step| line(&step.call)).collect()
}

/// A command under construction.
#[derive(Default)]
struct Words(String);

impl Words {
    fn of(command: &str) -> Words {
        Words(format!("aws {command}"))
    }

    /// Something that needs no quotes.
    fn plain(&mut self, word: &str) -> &mut Words {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(word);
        self
    }

    fn pair(&mut self, option: &str, value: &str) -> &mut Words {
        let value = quoted(value);
        self.plain(option).plain(&value)
    }

    fn each(&mut self, arns: &[crate::model::Arn]) {
        for arn in arns {
            let word = quoted(arn.as_str());
            self.plain(&word);
        }
    }

    fn maybe(&mut self, option: &str, value: Option<&str>) -> &mut Words {
        if let Some(value) = value {
            self.pair(option, value);
        }
        self
    }

    fn json(&mut self, option: &str, value: &Value) -> &mut Words {
        let value = json_quoted(value);
        self.plain(option).plain(&value)
    }

    fn revision(&mut self, revision: &Revision) -> &mut Words {
        match revision {
            Revision::Known(arn) => self.pair("--task-definition", arn.as_str()),
            Revision::Registered => self.plain("--task-definition").plain(&format!("\"${REGISTERED}\"")),
        }
    }
}

/// A word as any POSIX shell takes it.
#[must_use]
pub fn quoted(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(safe) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// JSON in ASCII alone, so that nothing in it moves a cursor or hides; what stands between two marks is a variable of the shell.
fn json_quoted(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        match c {
            MARK => text.push(c),
            c if c.is_ascii() && !c.is_ascii_control() => text.push(c),
            c => text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    let part = |(n, part): (usize, &str)| if n % 2 == 0 { part.replace('\'', "'\\''") } else { format!("'\"{part}\"'") };
    format!("'{}'", text.split(MARK).enumerate().map(part).collect::<String>())
}

fn words(call: &Call) -> Words {
    match call {
        Call::UpdateService { cluster, service, set } => {
            let mut words = Words::of("ecs update-service");
            words.pair("--cluster", cluster.as_str()).pair("--service", service.as_str());
            service_change(&mut words, set);
            words
        }
        Call::StopServiceDeployment { deployment } => {
            let mut words = Words::of("ecs stop-service-deployment");
            words.pair("--service-deployment-arn", deployment.as_str()).pair("--stop-type", "ROLLBACK");
            words
        }
        Call::ContinueServiceDeployment { deployment, hook, roll_back } => {
            let mut words = Words::of("ecs continue-service-deployment");
            words.pair("--service-deployment-arn", deployment.as_str()).pair("--hook-id", hook);
            words.pair("--action", if *roll_back { "ROLLBACK" } else { "CONTINUE" });
            words
        }
        Call::UpdateServicePrimaryTaskSet { cluster, service, task_set } => {
            let mut words = Words::of("ecs update-service-primary-task-set");
            words.pair("--cluster", cluster.as_str()).pair("--service", service.as_str()).pair("--primary-task-set", task_set);
            words
        }
        Call::RegisterTaskDefinition(register) => {
            let mut words = Words::of("ecs register-task-definition");
            words.json("--cli-input-json", &without_secrets(register));
            words
        }
        Call::StopTask { cluster, task, reason } => {
            let mut words = Words::of("ecs stop-task");
            words.pair("--cluster", cluster.as_str()).pair("--task", task.as_str()).pair("--reason", reason);
            words
        }
        Call::RunTask { .. } => run_task(call),
        Call::UpdateContainerInstancesState { cluster, instances, drain } => {
            let mut words = Words::of("ecs update-container-instances-state");
            words.pair("--cluster", cluster.as_str()).plain("--container-instances");
            words.each(instances);
            words.pair("--status", if *drain { "DRAINING" } else { "ACTIVE" });
            words
        }
        Call::UpdateTaskProtection { cluster, tasks, protect, minutes } => {
            let mut words = Words::of("ecs update-task-protection");
            words.pair("--cluster", cluster.as_str()).plain("--tasks");
            words.each(tasks);
            words.plain(if *protect { "--protection-enabled" } else { "--no-protection-enabled" });
            words.maybe("--expires-in-minutes", minutes.map(|minutes| minutes.to_string()).as_deref());
            words
        }
        Call::RegisterScalableTarget { resource, min, max, suspended } => {
            let mut words = Words::of("application-autoscaling register-scalable-target --service-namespace ecs");
            words.pair("--resource-id", resource).pair("--scalable-dimension", "ecs:service:DesiredCount");
            words.maybe("--min-capacity", min.map(|min| min.to_string()).as_deref());
            words.maybe("--max-capacity", max.map(|max| max.to_string()).as_deref());
            if let Some(off) = suspended {
                let state = format!(
                    "DynamicScalingInSuspended={},DynamicScalingOutSuspended={},ScheduledScalingSuspended={}",
                    off.scale_in, off.scale_out, off.scheduled
                );
                words.pair("--suspended-state", &state);
            }
            words
        }
        Call::CreateDeployment { application, group, app_spec, revision, description } => {
            let mut words = Words::of("deploy create-deployment");
            words.pair("--application-name", application).pair("--deployment-group-name", group);
            words.json("--revision", &json!({"revisionType": "AppSpecContent", "appSpecContent": {"content": spec(app_spec, revision)}}));
            words.pair("--description", description);
            words
        }
        Call::StopDeployment { id } => {
            let mut words = Words::of("deploy stop-deployment");
            words.pair("--deployment-id", id).plain("--auto-rollback-enabled");
            words
        }
        Call::ContinueDeployment { id, wait } => {
            let mut words = Words::of("deploy continue-deployment");
            words.pair("--deployment-id", id).pair("--deployment-wait-type", wait);
            words
        }
    }
}

fn service_change(words: &mut Words, set: &ServiceChange) {
    words.maybe("--desired-count", set.desired.map(|desired| desired.to_string()).as_deref());
    if let Some(revision) = &set.revision {
        words.revision(revision);
    }
    if set.force {
        words.plain("--force-new-deployment");
    }
    if let Some(exec) = set.exec {
        words.plain(if exec { "--enable-execute-command" } else { "--disable-execute-command" });
    }
}

fn run_task(call: &Call) -> Words {
    let mut words = Words::of("ecs run-task");
    let Call::RunTask { cluster, revision, launch_type, capacity_providers, network, command, started_by, client_token } = call else {
        return words;
    };
    words.pair("--cluster", cluster.as_str()).pair("--task-definition", revision.as_str()).pair("--count", "1");
    words.maybe("--launch-type", launch_type.as_deref());
    if !capacity_providers.is_empty() {
        words.plain("--capacity-provider-strategy");
        for (name, base, weight) in capacity_providers {
            words.plain(&quoted(&format!("capacityProvider={name},weight={weight},base={base}")));
        }
    }
    if let Some((subnets, groups, public)) = network {
        let mut awsvpc = json!({ "subnets": texts(subnets) });
        if !groups.is_empty() {
            awsvpc["securityGroups"] = json!(texts(groups));
        }
        if let Some(public) = public {
            awsvpc["assignPublicIp"] = json!(&**public);
        }
        words.json("--network-configuration", &json!({ "awsvpcConfiguration": awsvpc }));
    }
    if let Some((container, command)) = command {
        words.json("--overrides", &json!({"containerOverrides": [{"name": &**container, "command": command}]}));
    }
    words.pair("--started-by", started_by).pair("--client-token", client_token);
    words
}

fn texts(texts: &[crate::model::Str]) -> Vec<&str> {
    texts.iter().map(|text| &**text).collect()
}

/// The `AppSpec` with the task definition in it. One that cannot be changed is a blocker of its plan, and shown as it is.
fn spec(content: &str, revision: &Revision) -> String {
    let arn = match revision {
        Revision::Known(arn) => arn.to_string(),
        Revision::Registered => format!("{MARK}${REGISTERED}{MARK}"),
    };
    app_spec::with_task_definition(content, &arn).unwrap_or_else(|_| content.to_owned())
}

/// The request, with what looks like a secret left to the shell: `${NAME:?}` ends the line where `NAME` is not set.
fn without_secrets(register: &Register) -> Value {
    let mut request = (*register.request).clone();
    for container in request["containerDefinitions"].as_array_mut().into_iter().flatten() {
        for pair in container.get_mut("environment").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = pair["name"].as_str().unwrap_or_default().to_owned();
            let Some(value) = pair.get_mut("value").filter(|value| value.as_str().is_some_and(|text| looks_secret(&name, text))) else {
                continue;
            };
            *value = variable(&name);
        }
        for part in ["/logConfiguration/options", "/dockerLabels"] {
            let options = container.pointer_mut(part).and_then(Value::as_object_mut).into_iter().flatten();
            for (name, value) in options.filter(|(name, value)| looks_secret(name, value.as_str().unwrap_or_default())) {
                *value = variable(name);
            }
        }
    }
    request
}

fn variable(name: &str) -> Value {
    let letters: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let name = if letters.starts_with(|c: char| c.is_ascii_digit()) { format!("_{letters}") } else { letters };
    Value::from(format!("{MARK}${{{name}:?}}{MARK}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_where_a_shell_needs_it() {
        assert_eq!(quoted("arn:aws:ecs:eu-west-1:1:service/a/b"), "arn:aws:ecs:eu-west-1:1:service/a/b");
        assert_eq!(quoted("it's $HOME; rm"), "'it'\\''s $HOME; rm'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_line_names_the_region_and_the_profile_of_its_context() {
        let call = Call::StopDeployment { id: "d-1".into() };
        let steps = [crate::change::Step { call, what: String::new() }];
        let plan = |profile: Option<&str>| Plan { profile: profile.map(Into::into), ..crate::change::sample::plan(steps.to_vec()) };
        let stop = "aws deploy stop-deployment --deployment-id d-1 --auto-rollback-enabled --region eu-west-1";
        assert_eq!(lines(&plan(None)), [stop]);
        assert_eq!(lines(&plan(Some("it's prod"))), [format!("{stop} --profile 'it'\\''s prod'")]);
    }

    #[test]
    fn json_is_ascii_and_leaves_variables_to_the_shell() {
        let value = json!({"a": "it's \u{202e}\u{1b}[31m \u{1f600}", "b": format!("x{MARK}${{TOKEN:?}}{MARK}y")});
        assert_eq!(json_quoted(&value), "'{\"a\":\"it'\\''s \\u202e\\u001b[31m \\ud83d\\ude00\",\"b\":\"x'\"${TOKEN:?}\"'y\"}'");
    }

    #[test]
    fn a_variable_has_a_name_that_a_shell_takes() {
        assert_eq!(variable("api.token-2"), Value::from("\u{fdd0}${api_token_2:?}\u{fdd0}"));
        assert_eq!(variable("2FA_KEY"), Value::from("\u{fdd0}${_2FA_KEY:?}\u{fdd0}"));
    }
}
