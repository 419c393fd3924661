//! How a release ends before its time, and the release of its own that goes back.

use std::sync::Arc;

use super::{Estate, ReleaseStatus, all_at_once, release_id};
use crate::sim::world::state::EventStatus;

impl Estate {
    pub(super) fn fail_release(&mut self, index: usize, code: &'static str, words: String) {
        self.end_release(index, ReleaseStatus::Failed, Some((code, words)), "DEPLOYMENT_FAILURE", false);
    }

    pub(super) fn stop_release(&mut self, index: usize, error: Option<(&'static str, String)>, event: &str) {
        self.end_release(index, ReleaseStatus::Stopped, error, event, false);
    }

    /// `StopDeployment`: true if it rolls back. Without a word about it the group's configuration decides.
    pub fn stop_by_user(&mut self, index: usize, roll_back: Option<bool>) -> bool {
        if roll_back == Some(false) {
            self.code_deploy.releases[index].rollback.retain(|event| event != "DEPLOYMENT_STOP_ON_REQUEST");
        }
        self.end_release(index, ReleaseStatus::Stopped, None, "DEPLOYMENT_STOP_ON_REQUEST", roll_back == Some(true));
        self.code_deploy.releases[index].rolled_back_by.is_some()
    }

    fn end_release(&mut self, index: usize, status: ReleaseStatus, error: Option<(&'static str, String)>, event: &str, force: bool) {
        let now = self.now;
        self.see_sets(index);
        let release = &mut self.code_deploy.releases[index];
        release.status = status;
        release.error = error;
        release.completed_at = Some(now);
        for each in &mut release.events {
            match each.status {
                EventStatus::InProgress => {
                    each.status = if status == ReleaseStatus::Failed { EventStatus::Failed } else { EventStatus::Skipped };
                    each.ended_at = Some(now);
                }
                EventStatus::Pending => each.status = EventStatus::Skipped,
                _ => {}
            }
        }
        let wanted = force || release.rollback.iter().any(|known| known == event);
        if wanted && release.rolls_back.is_none() {
            self.roll_release_back(index, event);
        }
    }

    /// A release of its own that gives the traffic back to the old set and lets the new one go.
    fn roll_release_back(&mut self, index: usize, event: &str) {
        let failed = &self.code_deploy.releases[index];
        let (group, id, green, blue) = (failed.group, failed.id.clone(), failed.green.clone(), failed.blue.clone());
        let Some(spec) = failed.previous.clone() else { return };
        let service = self.code_deploy.groups[group].service;
        if green.id != 0 && !self.services[service].deployments.iter().any(|d| d.id == blue.id) {
            // Nothing is left to go back to: what runs stays as it is.
            return;
        }
        let definition = self.services[service].revision_of(blue.id).map(|r| Arc::clone(&r.definition));
        let name = release_id(self.rng.next());
        let mut release = self.blank_release(group, name.clone(), spec, definition, all_at_once("CodeDeployDefault.ECSAllAtOnce"));
        release.creator = "codeDeployRollback";
        release.description = format!("AWS CodeDeploy rollback of deployment {id}");
        release.rolls_back = Some(id);
        // For the rollback the failed set is the original, and the old one replaces it.
        release.blue = green;
        release.green = blue;
        release.due_at = self.now + 1_500;
        self.push_release(release);
        let why = match event {
            "DEPLOYMENT_STOP_ON_ALARM" => "an alarm was activated",
            "DEPLOYMENT_STOP_ON_REQUEST" => "the deployment was stopped",
            _ => "the deployment failed",
        };
        let message = format!("Deployment {name} was created to roll back because {why}.");
        self.code_deploy.releases[index].rolled_back_by = Some((name, message));
    }
}
