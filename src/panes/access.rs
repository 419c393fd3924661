//! What the role of a context can and cannot do here, as AWS's own answers have told so far; nothing is tried for the sake of knowing.

use super::Pane;
use crate::feed::{Feed, Wanted};
use crate::model::{Ctx, Str, Time};
use crate::action::Action;
use crate::theme::Role;
use crate::ui::age;
use crate::ui::table::{dim, painted, plain, Cell, Column, Key, Preview, TableSpec, TableView, Width};
use crate::verdict::Health;
use crate::view::{Cx, Place, Subject};
use ratatui::text::Line;

/// The pane.
pub const PANE: Pane = Pane {
    name: "access",
    help: "What this role can and cannot do, as AWS answered",
    action: None,
    open: |place, cx| {
        let one = place.ctx.is_some() || cx.fleet.0.len() == 1;
        let table = TableView::open(&SPEC, Place { ctx: place.ctx, ..Place::default() });
        Ok(Box::new(if one { table.without("CONTEXT") } else { table }))
    },
};

/// The actions that the program may need, with what is missing on screen without each.
const NEEDED: &[(&str, &str)] = &[
    ("sts:GetCallerIdentity", "account and role in the header"),
    ("ecs:ListClusters", "the list of clusters; without it name them with --cluster"),
    ("ecs:DescribeClusters", "counts and settings of clusters"),
    ("ecs:ListServices", "the list of services"),
    ("ecs:DescribeServices", "everything about services"),
    ("ecs:ListTasks", "the list of tasks"),
    ("ecs:DescribeTasks", "tasks, why they stopped, what they run"),
    ("ecs:GetTaskProtection", "whether tasks are protected, before they are stopped"),
    ("ecs:DescribeTaskDefinition", "images, limits, secrets, where logs go"),
    ("ecs:ListServiceDeployments", "past deployments"),
    ("ecs:DescribeServiceDeployments", "how deployments ended, and why"),
    ("ecs:DescribeServiceRevisions", "what past deployments ran"),
    ("ecs:ListContainerInstances", "container instances"),
    ("ecs:DescribeContainerInstances", "free CPU, memory and ports; targets of type instance"),
    ("elasticloadbalancing:DescribeTargetHealth", "health of targets"),
    ("elasticloadbalancing:DescribeTargetGroups", "how targets are checked"),
    ("elasticloadbalancing:DescribeListeners", "which hosts lead to a target group"),
    ("elasticloadbalancing:DescribeRules", "which hosts lead to a target group"),
    ("logs:FilterLogEvents", "logs"),
    ("logs:DescribeLogGroups", "how long logs are kept"),
    ("logs:StartLiveTail", "live tail; without it logs are polled"),
    ("ecr:DescribeImages", "images: tags that moved or expired"),
    ("ecr:BatchGetImage", "images for several platforms"),
    ("ecr:DescribeRepositories", "whether tags can move"),
    ("ssm:GetParameters", "whether parameters that new tasks read are there"),
    ("secretsmanager:DescribeSecret", "whether secrets that new tasks read are there"),
    ("application-autoscaling:DescribeScalableTargets", "scaling ranges"),
    ("application-autoscaling:DescribeScalingPolicies", "what drives scaling"),
    ("application-autoscaling:DescribeScalingActivities", "what was scaled, and why"),
    ("application-autoscaling:DescribeScheduledActions", "scheduled scaling"),
    ("cloudwatch:GetMetricData", "CPU and memory beside services"),
    ("cloudwatch:DescribeAlarms", "alarms"),
    ("codedeploy:GetDeployment", "blue/green deployments by CodeDeploy"),
    ("codedeploy:GetDeploymentTarget", "traffic and steps of CodeDeploy"),
    ("codedeploy:GetDeploymentConfig", "how long a canary bakes"),
    ("ecs:ExecuteCommand", "sessions in containers, and copies over them"),
    ("ssm:StartSession", "forwarded ports"),
    ("ssm:ResumeSession", "sessions that outlast a lost connection, and the hour"),
    ("ssm:TerminateSession", "sessions end when they are left; else 20 min later"),
    ("kms:GenerateDataKey", "sessions where the cluster names a key of KMS"),
    ("kms:DescribeKey", "whether that key works, told before a session"),
    ("iam:SimulatePrincipalPolicy", "which rights a session lacks, told before it"),
    ("iam:GetRole", "the path of a role whose rights are asked for"),
    ("iam:GetInstanceProfile", "the role of sessions on instances"),
    ("ec2:DescribeInstances", "the role and the subnet of sessions on instances"),
    ("ec2:DescribeSubnets", "whether a task reaches Session Manager"),
    ("ec2:DescribeVpcEndpoints", "whether a task reaches Session Manager"),
    ("ec2:DescribeRouteTables", "whether a task reaches Session Manager"),
];

/// An action with what is known about it in one context.
pub struct AccessRow {
    ctx: Ctx,
    context: Str,
    action: Str,
    known: Known,
    at: Option<Time>,
}

enum Known {
    Allowed,
    Denied(Str),
    NotAsked,
}

const SPEC: TableSpec<AccessRow> = TableSpec {
    name: "access",
    crumb: |place, cx| format!("{}access", place.ctx.map_or(String::new(), |ctx| format!("{} › ", cx.fleet.context(ctx).name))),
    title,
    columns: COLUMNS,
    order: 0,
    wanted: |place, cx, _, _, out| {
        for ctx in contexts(place, cx) {
            out.push(Wanted::Poll { feed: Feed::Identity(ctx), focus: false });
            out.push(Wanted::Poll { feed: Feed::Clusters(ctx), focus: false });
        }
    },
    rows,
    id: |row| format!("{}/{}", row.ctx.0, row.action).into(),
    health: Some(AccessRow::health),
    haystack: |row| format!("{} {} {}", row.context, row.action, row.word()),
    subject: |_, row, _| Subject { place: Place { ctx: Some(row.ctx), ..Place::default() }, copies: vec![('n', "action", row.action.to_string())], ghost: false },
    enter: "clusters",
    preview: Some(Preview {
        title: |row| row.action.to_string(),
        lines: |_, row, width, cx| {
            let said = match &row.known {
                Known::Denied(said) => said.to_string(),
                Known::Allowed => "AWS answered".to_owned(),
                Known::NotAsked => "not asked yet: nothing that was opened needed it".to_owned(),
            };
            crate::ui::frame::wrapped(&said, width.saturating_sub(4)).into_iter().map(|part| Line::styled(part, cx.theme.style(Role::Text))).collect()
        },
    }),
    empty: |_, _| "no context".to_owned(),
    sources: |_, _| Vec::new(),
    hints: &[Action::Filter, Action::ProblemsOnly, Action::Order, Action::Copy],
};

const COLUMNS: &[Column<AccessRow>] = &[
    Column { key: 's', title: "ACCESS", width: Width::Fixed(11), right: false, rank: 0, cell: access, sort: |row, _| Key::Both(row.health() as i64, row.action.clone()) },
    Column { key: 'n', title: "ACTION", width: Width::Fit(49, 60), right: false, rank: 0, cell: |row, _| plain(&*row.action), sort: |row, _| Key::Text(row.action.clone()) },
    Column { key: 'c', title: "CONTEXT", width: Width::Fit(8, 24), right: false, rank: 1, cell: |row, _| dim(&*row.context), sort: |row, _| Key::Text(row.context.clone()) },
    Column { key: 'a', title: "LEARNT", width: Width::Fixed(6), right: true, rank: 1, cell: |row, cx| dim(age::since(row.at, cx.now)), sort: |row, _| Key::Number(-row.at.map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 'w', title: "FOR", width: Width::Fill(20), right: false, rank: 2, cell: |row, _| dim(needed_for(&row.action)), sort: |row, _| Key::Text(needed_for(&row.action).into()) },
];

impl AccessRow {
    fn health(&self) -> Health {
        match self.known {
            Known::Denied(_) => Health::Fail,
            Known::Allowed => Health::Ok,
            Known::NotAsked => Health::Idle,
        }
    }

    fn word(&self) -> &'static str {
        match self.known {
            Known::Denied(_) => "denied",
            Known::Allowed => "allowed",
            Known::NotAsked => "not asked",
        }
    }
}

fn access<'a>(row: &'a AccessRow, _: &Cx<'a>) -> Cell<'a> {
    painted(format!("{} {}", row.health().glyph(), row.word()), row.health().role())
}

fn needed_for(action: &str) -> &'static str {
    NEEDED.iter().find(|(needed, _)| *needed == action).map_or("", |(_, what)| what)
}

fn contexts(place: &Place, cx: &Cx) -> impl Iterator<Item = Ctx> + use<> {
    let only = place.ctx;
    cx.fleet.all().filter(move |ctx| only.is_none_or(|only| only == *ctx))
}

/// Who it is about: a right is a role's, not a program's.
fn title(place: &Place, cx: &Cx) -> String {
    let role = place.ctx.and_then(|ctx| cx.store.identity(ctx)).map_or(String::new(), |identity| format!(" of {}", identity.arn.rsplit(':').next().unwrap_or(&identity.arn)));
    let scope = place.ctx.map_or("all contexts", |ctx| &cx.fleet.context(ctx).name);
    format!("Access in {scope}{role} ·")
}

fn rows(place: &Place, cx: &Cx) -> Vec<AccessRow> {
    contexts(place, cx).flat_map(|ctx| rows_of(ctx, cx)).collect()
}

fn rows_of(ctx: Ctx, cx: &Cx) -> Vec<AccessRow> {
    let context = &cx.fleet.context(ctx).name;
    let row = |action: Str, known: Known, at: Option<Time>| AccessRow { ctx, context: context.clone(), action, known, at };
    let learnt = cx.store.access(ctx).map(|(action, access)| {
        let known = access.denied.as_ref().map_or(Known::Allowed, |said| Known::Denied(said.clone()));
        row(action.clone(), known, Some(access.at))
    });
    let mut rows: Vec<AccessRow> = learnt.collect();
    for (action, _) in NEEDED {
        if !rows.iter().any(|row| *row.action == **action) {
            rows.push(row((*action).into(), Known::NotAsked, None));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_named_once_with_what_it_is_for() {
        for (n, (action, what)) in NEEDED.iter().enumerate() {
            assert!(action.contains(':') && !what.is_empty(), "{action}");
            assert!(!NEEDED[..n].iter().any(|(other, _)| other == action), "{action} twice");
        }
    }
}
