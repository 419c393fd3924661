//! The services beside ECS over one scenario, on virtual time, without HTTP.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use super::ecs::ApiError;
use super::scenario::read;
use super::world::{Estate, MINUTE, Ms, World};
use super::{autoscaling, cloudwatch, codedeploy, ecr, ecs, elbv2};
use serde_json::{Value, json};

/// Saturday, 21 November 2026, 03:11:20 UTC.
const OPENED: Ms = 1_795_230_680_000;

struct Shop(World);

impl Shop {
    fn open() -> Self {
        Self::with("")
    }

    /// The shop, and something more at the end of its scenario.
    fn with(more: &str) -> Self {
        let text = format!("{}{more}", include_str!("../../tests/contract/beside.toml"));
        let scenario = read("beside.toml", &text, &[]).unwrap();
        Self(World::open(&scenario, 7, OPENED).unwrap())
    }

    fn estate(&mut self) -> &mut Estate {
        self.0.estate_mut("555566667777", "eu-west-2")
    }

    fn wait(&mut self, minutes: Ms) {
        let until = self.0.now() + minutes * MINUTE;
        self.0.advance_to(until);
    }

    /// Waits at most so many minutes; how many it took.
    fn wait_until(&mut self, minutes: Ms, done: impl Fn(&mut Self) -> bool) -> Ms {
        for minute in 0..minutes {
            if done(self) {
                return minute;
            }
            self.wait(1);
        }
        panic!("not within {minutes} minutes");
    }

    fn ecr(&mut self, operation: &str, body: &Value) -> Result<Value, ApiError> {
        ecr::handle(self.estate(), operation, body)
    }

    fn scaling(&mut self, operation: &str, more: &Value) -> Value {
        let mut body = json!({"ServiceNamespace": "ecs"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        autoscaling::handle(self.estate(), operation, &body).unwrap()
    }

    fn desired(&mut self, service: &str) -> u32 {
        self.estate().services.iter().find(|s| s.name == service).unwrap().desired
    }

    fn code_deploy(&mut self, operation: &str, body: &Value) -> Result<Value, ApiError> {
        codedeploy::handle(self.estate(), operation, body)
    }

    fn service(&mut self, name: &str) -> Value {
        let caller = ecs::Caller { arn: "arn:aws:sts::555566667777:assumed-role/a/b".to_owned() };
        let body = json!({"cluster": "shop", "services": [name]});
        ecs::handle(self.estate(), &caller, "DescribeServices", &body).unwrap()["services"][0].take()
    }

    /// Weights of the production listener's rule that leads to a service.
    fn weights(&mut self, host: &str) -> Vec<u64> {
        let estate = self.estate();
        let lb = estate.load_balancers.iter().position(|lb| lb.name == "shop-public").unwrap();
        let body = json!({"ListenerArn": estate.listener_arn(lb, 0)});
        let rules = elbv2::handle(estate, "DescribeRules", &body).unwrap();
        let rule = rules["Rules"].as_array().unwrap().iter().find(|r| r["Conditions"][0]["Values"][0] == host).unwrap();
        rule["Actions"][0]["ForwardConfig"]["TargetGroups"].as_array().unwrap().iter().map(|g| g["Weight"].as_u64().unwrap()).collect()
    }

    fn release(&mut self, group: (&str, &str), definition: &str) -> Result<String, ApiError> {
        let (container, port) = if group.0 == "shop-pay" { ("api", 3000) } else { ("proxy", 8443) };
        let spec = json!({"version": 0.0, "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {
            "TaskDefinition": definition, "LoadBalancerInfo": {"ContainerName": container, "ContainerPort": port},
        }}}]});
        let revision = json!({"revisionType": "AppSpecContent", "appSpecContent": {"content": spec.to_string()}});
        let body = json!({"applicationName": group.0, "deploymentGroupName": group.1, "revision": revision});
        Ok(self.code_deploy("CreateDeployment", &body)?["deploymentId"].as_str().unwrap().to_owned())
    }

    fn deployment(&mut self, id: &str) -> Value {
        self.code_deploy("GetDeployment", &json!({"deploymentId": id})).unwrap()["deploymentInfo"].take()
    }

    fn target(&mut self, id: &str, target: &str) -> Value {
        let body = json!({"deploymentId": id, "targetId": target});
        self.code_deploy("GetDeploymentTarget", &body).unwrap()["deploymentTarget"]["ecsTarget"].take()
    }
}

const PAY: (&str, &str) = ("shop-pay", "shop-pay-production");
const EDGE: (&str, &str) = ("AppECS-shop-edge", "DgpECS-shop-edge");

fn tags(image: &Value) -> Vec<&str> {
    image["imageTags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn archived_images_come_only_when_asked_for_and_children_of_an_index_are_images_too() {
    let mut shop = Shop::open();
    let all = shop.ecr("DescribeImages", &json!({"repositoryName": "shop/front"})).unwrap();
    let all = all["imageDetails"].as_array().unwrap();
    assert!(!all.iter().any(|image| tags(image).contains(&"production-12")));
    let archived = json!({"repositoryName": "shop/front", "filter": {"imageStatus": "ARCHIVED"}});
    let archived = shop.ecr("DescribeImages", &archived).unwrap();
    assert_eq!(tags(&archived["imageDetails"][0]), ["production-12"]);
    let index = all.iter().find(|image| tags(image).contains(&"production")).unwrap();
    assert_eq!(index["imageManifestMediaType"], "application/vnd.oci.image.index.v1+json");
    let wanted = json!({"repositoryName": "shop/front", "imageIds": [{"imageTag": "production"}]});
    let manifest = shop.ecr("BatchGetImage", &wanted).unwrap()["images"][0]["imageManifest"].as_str().unwrap().to_owned();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let children = manifest["manifests"].as_array().unwrap();
    assert_eq!(children[1]["platform"], json!({"architecture": "arm64", "os": "linux", "variant": "v8"}));
    assert!(children.iter().all(|child| all.iter().any(|image| image["imageDigest"] == child["digest"])));
    let digests: Vec<&str> = all.iter().filter_map(|image| image["imageDigest"].as_str()).collect();
    assert!(digests.is_sorted(), "the order is that of digests, not of pushes");
}

#[test]
fn one_missing_tag_fails_the_batch_and_an_expired_tag_is_missing() {
    let mut shop = Shop::open();
    let both = json!({"repositoryName": "shop/orders", "imageIds": [{"imageTag": "2026_09"}, {"imageTag": "2026_08"}]});
    let refused = shop.ecr("DescribeImages", &both).unwrap_err();
    assert_eq!(refused.code, "ImageNotFoundException");
    assert!(refused.message.contains("imageTag:'2026_08'"), "{}", refused.message);
    let found = shop.ecr("BatchGetImage", &both).unwrap();
    assert_eq!(found["images"].as_array().unwrap().len(), 1);
    assert_eq!(found["failures"][0]["failureCode"], "ImageNotFound");
    let repository = shop.ecr("DescribeRepositories", &json!({"repositoryNames": ["shop/orders"]})).unwrap();
    assert_eq!(repository["repositories"][0]["imageTagMutability"], "IMMUTABLE");
}

#[test]
fn a_scan_has_its_summary_and_an_image_with_two_tags_is_listed_twice() {
    let mut shop = Shop::open();
    let body = json!({"repositoryName": "shop/front", "imageIds": [{"imageTag": "production-80"}]});
    let image = shop.ecr("DescribeImages", &body).unwrap()["imageDetails"][0].take();
    assert_eq!(image["imageScanFindingsSummary"]["findingSeverityCounts"], json!({"CRITICAL": 1, "HIGH": 4}));
    let listed = shop.ecr("ListImages", &json!({"repositoryName": "shop/front", "filter": {"tagStatus": "TAGGED"}})).unwrap();
    let named: Vec<&str> = listed["imageIds"].as_array().unwrap().iter().filter_map(|id| id["imageTag"].as_str()).collect();
    assert!(named.contains(&"production") && named.contains(&"production-81"), "{named:?}");
}

#[test]
fn an_old_deployment_ran_what_its_moving_tag_was_then() {
    let mut shop = Shop::open();
    let estate = shop.estate();
    let front = estate.services.iter().find(|s| s.name == "front").unwrap();
    let (old, new) = (front.revisions.first().unwrap(), front.revisions.last().unwrap());
    assert_eq!(old.definition.containers[0].image, new.definition.containers[0].image, "both name the moving tag");
    let images = &estate.repositories["shop/front"].images;
    let digest = |tag: &str| images.iter().find(|image| image.tags.iter().any(|own| own == tag)).unwrap().digest.clone();
    assert_eq!(new.digests, [digest("production")]);
    assert_eq!(old.digests, [digest("production-80")], "which bore the tag until two days ago");
}

#[test]
fn target_tracking_adds_tasks_in_a_peak_and_takes_them_back_after() {
    let mut shop = Shop::open();
    assert_eq!(shop.desired("front"), 2);
    // The peak begins after ten minutes: 125 % of the two, three minutes above 65 ring the alarm.
    let minutes = shop.wait_until(20, |shop| shop.desired("front") > 2);
    assert!((12..=15).contains(&minutes), "{minutes}");
    assert_eq!(shop.desired("front"), 4, "ceil(2 x 100 / 65)");
    let activity = shop.scaling("DescribeScalingActivities", &json!({"ResourceId": "service/shop/front"}))["ScalingActivities"][0].take();
    assert_eq!(activity["Description"], "Setting desired count to 4.");
    assert!(activity["Cause"].as_str().unwrap().starts_with("monitor alarm TargetTracking-service/shop/front-AlarmHigh-"));
    assert_eq!(activity["StatusCode"], "InProgress");
    shop.wait_until(60, |shop| shop.desired("front") == 2);
    let all = shop.scaling("DescribeScalingActivities", &json!({"ResourceId": "service/shop/front"}))["ScalingActivities"].take();
    assert!(all.as_array().unwrap().iter().any(|a| a["StatusCode"] == "Successful"), "{all}");
}

#[test]
fn a_suspended_target_stays_and_a_new_range_moves_the_service() {
    let mut shop = Shop::open();
    let target = json!({
        "ResourceId": "service/shop/front", "ScalableDimension": "ecs:service:DesiredCount",
        "SuspendedState": {"DynamicScalingOutSuspended": true},
    });
    shop.scaling("RegisterScalableTarget", &target);
    shop.wait(25);
    assert_eq!(shop.desired("front"), 2, "suspended");
    let shown = shop.scaling("DescribeScalableTargets", &json!({}))["ScalableTargets"][0].take();
    assert_eq!(shown["MaxCapacity"], 8, "what is not given stays");
    assert_eq!(shown["SuspendedState"]["DynamicScalingOutSuspended"], true);
    let range = json!({"ResourceId": "service/shop/front", "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 5});
    shop.scaling("RegisterScalableTarget", &range);
    assert_eq!(shop.desired("front"), 5);
    let activity = shop.scaling("DescribeScalingActivities", &json!({}))["ScalingActivities"][0].take();
    assert_eq!(activity["Cause"], "minimum capacity was set to 5");
}

#[test]
fn a_full_queue_adds_tasks_by_steps_and_the_maximum_is_said_when_it_is_reached() {
    let mut shop = Shop::open();
    let worked = |shop: &mut Shop| {
        let index = shop.estate().services.iter().position(|s| s.name == "orders").unwrap();
        shop.estate().raise_load(index, 5.0, 600 * MINUTE);
    };
    worked(&mut shop);
    shop.wait_until(60, |shop| shop.desired("orders") == 5);
    shop.wait(20);
    let all = shop.scaling("DescribeScalingActivities", &json!({"IncludeNotScaledActivities": true, "ResourceId": "service/shop/orders"}));
    let reasons: Vec<&str> =
        all["ScalingActivities"].as_array().unwrap().iter().filter_map(|a| a["NotScaledReasons"][0]["Code"].as_str()).collect();
    assert_eq!(reasons, ["AlreadyAtMaxCapacity"]);
    let plain = shop.scaling("DescribeScalingActivities", &json!({"ResourceId": "service/shop/orders"}));
    assert!(plain["ScalingActivities"].as_array().unwrap().iter().all(|a| a["NotScaledReasons"].is_null()));
}

#[test]
fn a_scheduled_action_raises_the_minimum_at_its_hour() {
    let mut shop = Shop::open();
    // From Saturday night to Monday, 08:00 in London.
    shop.wait(60 * 52 + 40);
    assert_eq!(shop.desired("front"), 2);
    shop.wait(15);
    assert_eq!(shop.desired("front"), 4);
}

fn cpu_query(id: &str, period: i64) -> Value {
    let dimensions = json!([{"Name": "ServiceName", "Value": "front"}, {"Name": "ClusterName", "Value": "shop"}]);
    let metric = json!({"Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Dimensions": dimensions});
    json!({"Id": id, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Average"}})
}

#[test]
fn metric_data_is_the_same_whoever_asks_and_its_newest_minute_is_over() {
    let mut shop = Shop::open();
    shop.wait(7);
    let now = shop.0.now() / 1000;
    let body = json!({"MetricDataQueries": [cpu_query("cpu", 60)], "StartTime": now - 1800, "EndTime": now});
    let first = cloudwatch::handle(shop.estate(), "GetMetricData", &body).unwrap();
    let again = cloudwatch::handle(Shop::open().estate(), "GetMetricData", &body).unwrap();
    let result = &first["MetricDataResults"][0];
    assert_eq!(result["StatusCode"], "Complete");
    let values: Vec<f64> = result["Values"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert_eq!(values.len(), 29, "half an hour, the minute under way left out");
    assert!(values.iter().all(|value| (45.0..55.0).contains(value)), "{values:?}");
    let older = &again["MetricDataResults"][0]["Values"];
    assert_eq!(older.as_array().unwrap().last(), result["Values"].as_array().unwrap().last(), "the same seed says the same");
}

#[test]
fn pages_of_metric_data_go_on_where_the_last_one_ended() {
    let mut shop = Shop::open();
    let now = shop.0.now() / 1000;
    let mut body = json!({"MetricDataQueries": [cpu_query("a", 60), cpu_query("b", 300)], "StartTime": now - 1800, "EndTime": now, "MaxDatapoints": 20});
    let mut counts = [0, 0];
    let mut pages = 0;
    loop {
        let page = cloudwatch::handle(shop.estate(), "GetMetricData", &body).unwrap();
        pages += 1;
        for (count, result) in counts.iter_mut().zip(page["MetricDataResults"].as_array().unwrap()) {
            *count += result["Values"].as_array().unwrap().len();
        }
        if page["NextToken"].is_null() {
            break;
        }
        assert_eq!(page["MetricDataResults"][0]["StatusCode"], if pages == 1 { "PartialData" } else { "Complete" });
        body["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!((pages, counts[0]), (2, 29));
    assert!((5..=7).contains(&counts[1]), "{counts:?}");
}

#[test]
fn an_alarm_follows_its_metric_and_a_composite_one_follows_the_alarm() {
    let mut shop = Shop::open();
    let state = |shop: &mut Shop, name: &str| shop.estate().alarm_state(name).map(super::world::AlarmState::word);
    assert_eq!(state(&mut shop, "front-slow"), Some("OK"));
    shop.wait_until(30, |shop| shop.estate().alarm_state("front-slow").map(super::world::AlarmState::word) == Some("ALARM"));
    assert_eq!(state(&mut shop, "shop-down"), Some("ALARM"));
    let plain = cloudwatch::handle(shop.estate(), "DescribeAlarms", &json!({"StateValue": "ALARM"})).unwrap();
    assert!(plain["CompositeAlarms"].as_array().unwrap().is_empty(), "only when AlarmTypes asks for them");
    let slow = plain["MetricAlarms"].as_array().unwrap().iter().find(|a| a["AlarmName"] == "front-slow").unwrap();
    assert_eq!(slow["ExtendedStatistic"], "p95");
    let reason = slow["StateReason"].as_str().unwrap();
    assert!(
        reason.starts_with("Threshold Crossed: 3 out of the last 3 datapoints [") && reason.contains("greater than the threshold (1.0)"),
        "{reason}"
    );
    let both = cloudwatch::handle(shop.estate(), "DescribeAlarms", &json!({"AlarmTypes": ["CompositeAlarm"]})).unwrap();
    assert_eq!(both["CompositeAlarms"][0]["AlarmRule"], "ALARM(\"front-slow\") OR ALARM(\"pay-errors\")");
}

#[test]
fn a_canary_shifts_ten_percent_bakes_and_then_shifts_the_rest() {
    let mut shop = Shop::open();
    assert_eq!(shop.weights("pay.shop.example"), [100, 0]);
    let id = shop.release(PAY, "pay:17").unwrap();
    let busy = shop.release(PAY, "pay:17").unwrap_err();
    assert_eq!(busy.code, "DeploymentLimitExceededException");
    assert!(busy.message.contains(&id), "{}", busy.message);
    shop.wait_until(8, |shop| shop.weights("pay.shop.example") == [90, 10]);
    let target = shop.target(&id, "shop:pay");
    let weights: Vec<f64> = target["taskSetsInfo"].as_array().unwrap().iter().filter_map(|set| set["trafficWeight"].as_f64()).collect();
    assert_eq!(weights, [90.0, 10.0]);
    assert_eq!(target["taskSetsInfo"][1]["runningCount"], 2);
    let service = shop.service("pay");
    assert_eq!(service["deployments"], json!([]));
    let sets = service["taskSets"].as_array().unwrap();
    assert_eq!((sets.len(), &sets[0]["status"], &sets[1]["status"]), (2, &json!("PRIMARY"), &json!("ACTIVE")));
    assert_eq!(sets[1]["externalId"], json!(id));
    let bake = shop.wait_until(15, |shop| shop.weights("pay.shop.example") == [0, 100]);
    assert!((9..=10).contains(&bake), "{bake}");
    shop.wait(2);
    assert_eq!(shop.deployment(&id)["instanceTerminationWaitTimeStarted"], true);
    let body = json!({"deploymentId": id, "deploymentWaitType": "TERMINATION_WAIT"});
    shop.code_deploy("ContinueDeployment", &body).unwrap();
    shop.wait(1);
    assert_eq!(shop.deployment(&id)["status"], "Succeeded");
    shop.wait(2);
    let service = shop.service("pay");
    assert_eq!(service["taskSets"].as_array().unwrap().len(), 1);
    assert_eq!((&service["runningCount"], &service["taskSets"][0]["externalId"]), (&json!(2), &json!(id)));
    let again = shop.code_deploy("StopDeployment", &json!({"deploymentId": id})).unwrap_err();
    assert_eq!(again.code, "DeploymentAlreadyCompletedException");
}

#[test]
fn stopping_in_the_bake_rolls_back_by_a_deployment_of_its_own() {
    let mut shop = Shop::open();
    let before = shop.service("pay")["taskSets"][0]["id"].clone();
    let id = shop.release(PAY, "pay:17").unwrap();
    shop.wait_until(8, |shop| shop.weights("pay.shop.example") == [90, 10]);
    let reply = shop.code_deploy("StopDeployment", &json!({"deploymentId": id, "autoRollbackEnabled": true})).unwrap();
    assert_eq!(reply["status"], "Pending");
    let stopped = shop.deployment(&id);
    assert_eq!(stopped["status"], "Stopped");
    let back = stopped["rollbackInfo"]["rollbackDeploymentId"].as_str().unwrap().to_owned();
    shop.wait(3);
    let rollback = shop.deployment(&back);
    assert_eq!((&rollback["status"], &rollback["creator"]), (&json!("Succeeded"), &json!("codeDeployRollback")));
    assert_eq!(rollback["rollbackInfo"]["rollbackTriggeringDeploymentId"], json!(id));
    assert_eq!(shop.weights("pay.shop.example").iter().max(), Some(&100));
    shop.wait(2);
    let sets = shop.service("pay")["taskSets"].take();
    assert_eq!(sets.as_array().unwrap().len(), 1);
    assert_eq!(sets[0]["id"], before, "the old task set serves again");
}

#[test]
fn an_alarm_stops_a_release_and_rolls_it_back() {
    let mut shop = Shop::open();
    let id = shop.release(PAY, "pay:17").unwrap();
    shop.wait_until(8, |shop| shop.weights("pay.shop.example") == [90, 10]);
    let body = json!({"AlarmName": "pay-errors", "StateValue": "ALARM", "StateReason": "drill"});
    cloudwatch::handle(shop.estate(), "SetAlarmState", &body).unwrap();
    shop.wait(1);
    let stopped = shop.deployment(&id);
    assert_eq!(stopped["status"], "Stopped");
    assert_eq!(stopped["errorInformation"]["code"], "ALARM_ACTIVE");
    assert!(stopped["errorInformation"]["message"].as_str().unwrap().ends_with("Activated alarms: <pay-errors>"));
    assert!(stopped["rollbackInfo"]["rollbackDeploymentId"].is_string());
}

#[test]
fn a_green_set_that_never_gets_well_fails_after_an_hour() {
    let mut shop = Shop::open();
    let estate = shop.estate();
    let mut input: Value = serde_json::from_str(&estate.newest("pay").unwrap().document).unwrap();
    input["containerDefinitions"][0]["image"] = json!("555566667777.dkr.ecr.eu-west-2.amazonaws.com/shop/pay:never-pushed");
    for key in ["taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy"] {
        input.as_object_mut().unwrap().remove(key);
    }
    let flavour = estate.inherited_flavour(&input, "arn:aws:sts::555566667777:assumed-role/a/b");
    estate.register(&input, flavour);
    let id = shop.release(PAY, "pay:18").unwrap();
    shop.wait(50);
    assert_eq!(shop.deployment(&id)["status"], "InProgress");
    shop.wait(14);
    let failed = shop.deployment(&id);
    assert_eq!((&failed["status"], &failed["errorInformation"]["code"]), (&json!("Failed"), &json!("TIMEOUT")));
    shop.wait(4);
    assert_eq!(shop.service("pay")["taskSets"].as_array().unwrap().len(), 1);
}

#[test]
fn a_release_of_a_bot_goes_through_codedeploy_and_may_stand_in_its_bake_when_the_world_opens() {
    let bot = "[[actor]]\nname = 'ci'\ncluster = 'shop'\nservice = 'pay'\nevery = '60m'\nfirst = '54m'\nact = 'deploy'\n\
               [actor.behaviour]\nfate = 'unhealthy'\nafter = '9m'\n";
    let mut shop = Shop::with(bot);
    let weights = shop.weights("pay.shop.example");
    assert!(weights == [90, 10] || weights == [10, 90], "{weights:?}");
    let service = shop.service("pay");
    assert_eq!(service["taskSets"].as_array().unwrap().len(), 2);
    let id = service["taskSets"][1]["externalId"].as_str().unwrap().to_owned();
    assert_eq!(shop.deployment(&id)["status"], "InProgress");
    let fresh = service["taskSets"][1]["taskDefinition"].as_str().unwrap();
    assert!(!fresh.ends_with(":17"), "{fresh}");
    // After nine minutes of life its targets turn unhealthy, still in the bake.
    shop.wait(8);
    let events = shop.service("pay")["events"].take();
    let said = |event: &Value| event["message"].as_str().is_some_and(|text| text.contains("is unhealthy in (target-group"));
    assert!(events.as_array().unwrap().iter().any(said), "{events}");
}

#[test]
fn a_group_that_waits_goes_on_only_when_told_to() {
    let mut shop = Shop::open();
    let id = shop.release(EDGE, "edge:3").unwrap();
    shop.wait_until(8, |shop| shop.deployment(&id)["status"] == "Ready");
    let early = shop.code_deploy("ContinueDeployment", &json!({"deploymentId": id, "deploymentWaitType": "TERMINATION_WAIT"}));
    assert_eq!(early.unwrap_err().code, "DeploymentIsNotInReadyStateException");
    shop.wait(10);
    assert_eq!(shop.deployment(&id)["status"], "Ready");
    shop.code_deploy("ContinueDeployment", &json!({"deploymentId": id, "deploymentWaitType": "READY_WAIT"})).unwrap();
    shop.wait(5);
    assert_eq!(shop.deployment(&id)["status"], "Succeeded");
    let late = shop.release(EDGE, "edge:3").unwrap();
    shop.wait(70);
    assert_eq!(shop.deployment(&late)["errorInformation"]["code"], "TIMEOUT");
}

#[test]
fn a_spec_without_a_definition_that_exists_fails_and_an_unreadable_one_is_refused() {
    let mut shop = Shop::open();
    let id = shop.release(PAY, "pay:99").unwrap();
    shop.wait(1);
    assert_eq!(shop.deployment(&id)["errorInformation"]["code"], "ECS_UPDATE_ERROR");
    let refused = shop.release(PAY, "").unwrap_err();
    assert_eq!(refused.code, "InvalidRevisionException");
    let nobody = shop.release(("shop-pay", "no-such"), "pay:17").unwrap_err();
    assert_eq!(nobody.code, "DeploymentGroupDoesNotExistException");
}
