//! The live log tail of a container, a task or a whole service; the view itself lives in [`crate::logs`].

use super::Pane;
use crate::action::Action;
use crate::logs::LogView;
use crate::model::LogScope;

/// The pane.
pub const PANE: Pane = Pane {
    name: "logs",
    help: "Follow the logs of a service, a task or a container",
    action: Some(Action::Logs),
    open: |place, cx| {
        let (Some(ctx), Some(cluster)) = (place.ctx, place.cluster.clone()) else {
            return Err("Logs need a service or a task: put the cursor on one".to_owned());
        };
        let scope = match (&place.task, &place.container, &place.service) {
            (Some(task), Some(container), _) => LogScope::Container(task.clone(), container.clone()),
            (Some(task), None, _) => LogScope::Task(task.clone()),
            (None, _, Some(service)) => LogScope::Service(service.clone()),
            (None, _, None) => return Err("Logs need a service or a task: open the cluster first".to_owned()),
        };
        Ok(LogView::open(ctx, cluster, scope, cx.zone.clone()))
    },
};
