//! The drills of scenario `seeds` that end in a write: started by name, the world stands as the operator is to find it.

use super::*;
use crate::sim::{autoscaling, codedeploy, ecr};

fn seeds() -> World {
    World::open(&scenario::load("seeds", &[]).unwrap(), 1, NOW).unwrap()
}

fn estate<'a>(w: &'a mut World, context: &str) -> &'a mut Estate {
    let known = w.contexts.iter().find(|c| c.name == context).unwrap();
    let (account, region) = (known.account.clone(), known.region.clone());
    w.estate_mut(&account, &region)
}

fn ask(w: &mut World, context: &str, operation: &str, body: &Value) -> Value {
    let caller = Caller { arn: "arn:aws:sts::1:assumed-role/Test/test".to_owned() };
    ecs::handle(estate(w, context), &caller, operation, body).unwrap()
}

fn of(w: &mut World, context: &str, cluster: &str, name: &str) -> Value {
    ask(w, context, "DescribeServices", &json!({"cluster": cluster, "services": [name]}))["services"][0].clone()
}

fn deployments(w: &mut World, context: &str, cluster: &str, name: &str) -> Value {
    let listed = ask(w, context, "ListServiceDeployments", &json!({"cluster": cluster, "service": name}));
    let arn = listed["serviceDeployments"][0]["serviceDeploymentArn"].clone();
    ask(w, context, "DescribeServiceDeployments", &json!({"serviceDeploymentArns": [arn]}))["serviceDeployments"][0].clone()
}

/// Newest deployment of a group of `lomash-prod`.
fn release_of(w: &mut World, group: &str) -> Value {
    let lomash = estate(w, "lomash-production");
    let list = json!({"applicationName": "lomash-prod", "deploymentGroupName": group});
    let id = codedeploy::handle(lomash, "ListDeployments", &list).unwrap()["deployments"][0].clone();
    codedeploy::handle(lomash, "GetDeployment", &json!({"deploymentId": id})).unwrap()["deploymentInfo"].clone()
}

fn spec_of(release: &Value) -> String {
    release["revision"]["appSpecContent"]["content"].as_str().unwrap().to_owned()
}

const LOMASH: (&str, &str) = ("lomash-production", "lomash-production");
const OKY: (&str, &str, &str) = ("oky-admin", "project-oky-ecs-cluster", "project-oky-ecs-api-task-service-1lehr9r5");
const CAMPUS: (&str, &str, &str) = ("campuslearn", "strong-dolphin-qr0d3scampuslearn-cluster", "CampusLearn-Backend-Service");

#[test]
fn t3_two_revisions_name_one_tag_that_has_moved_since() {
    let mut w = seeds();
    let before = of(&mut w, "tutorbloc", "tutorbloc", "production")["deployments"].as_array().unwrap().last().unwrap().clone();
    w.start_drill("T3").unwrap();
    run(&mut w, 900, |_| {});
    let service = of(&mut w, "tutorbloc", "tutorbloc", "production");
    assert_eq!((service["deployments"].as_array().unwrap().len(), &service["deployments"][0]["rolloutState"]), (1, &json!("COMPLETED")));
    assert_ne!(service["taskDefinition"], before["taskDefinition"]);
    let image = |w: &mut World, definition: &Value| {
        let told = ask(w, "tutorbloc", "DescribeTaskDefinition", &json!({"taskDefinition": definition}));
        told["taskDefinition"]["containerDefinitions"][0]["image"].as_str().unwrap().to_owned()
    };
    let (old, new) = (image(&mut w, &before["taskDefinition"]), image(&mut w, &service["taskDefinition"]));
    assert_eq!(old, new, "the text of both is the same");
    assert!(new.ends_with("tutorbloc.app:production"));
    let listed = ask(&mut w, "tutorbloc", "ListServiceDeployments", &json!({"cluster": "tutorbloc", "service": "production"}));
    let good: Vec<Value> =
        listed["serviceDeployments"].as_array().unwrap().iter().filter(|d| d["status"] == "SUCCESSFUL").take(2).cloned().collect();
    let digest = |w: &mut World, d: &Value| {
        let told = ask(w, "tutorbloc", "DescribeServiceRevisions", &json!({"serviceRevisionArns": [d["targetServiceRevisionArn"]]}));
        told["serviceRevisions"][0]["containerImages"][0]["imageDigest"].as_str().unwrap().to_owned()
    };
    let (newest, last_good) = (digest(&mut w, &good[0]), digest(&mut w, &good[1]));
    assert_ne!(newest, last_good, "but what they ran is not");
    let asked = |id: Value| json!({"repositoryName": "tutorbloc.app", "imageIds": [id]});
    let tagged = ecr::handle(estate(&mut w, "tutorbloc"), "DescribeImages", &asked(json!({"imageTag": "production"}))).unwrap();
    assert_eq!(tagged["imageDetails"][0]["imageDigest"], newest);
    let kept = ecr::handle(estate(&mut w, "tutorbloc"), "DescribeImages", &asked(json!({"imageDigest": last_good}))).unwrap();
    let tags = kept["imageDetails"][0]["imageTags"].to_string();
    assert!(tags.contains("production-"), "the image of the last good deployment is still there to be pinned, as {tags}");
}

#[test]
fn t5_a_fixed_port_keeps_the_next_task_out() {
    let mut w = seeds();
    w.start_drill("T5").unwrap();
    run(&mut w, 900, |_| {});
    let service = of(&mut w, "tutorbloc", "tutorbloc", "production");
    assert_eq!(service["deployments"][0]["rolloutState"], "IN_PROGRESS");
    assert!(events(&service).iter().any(|m| m.contains("is already using a port required by your task")), "{:?}", events(&service));
}

#[test]
fn l2_a_count_above_the_range_stands_until_a_policy_or_a_new_range_takes_it_back() {
    let (context, cluster) = LOMASH;
    let mut w = seeds();
    w.start_drill("L2").unwrap();
    assert_eq!(of(&mut w, context, cluster, "product-service")["desiredCount"], 20);
    run(&mut w, 120, |_| {});
    assert_eq!(of(&mut w, context, cluster, "product-service")["desiredCount"], 20);
    let register = |more: Value| {
        let id = "service/lomash-production/product-service";
        let mut body = json!({"ServiceNamespace": "ecs", "ResourceId": id, "ScalableDimension": "ecs:service:DesiredCount"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    autoscaling::handle(estate(&mut w, context), "RegisterScalableTarget", &register(json!({"MaxCapacity": 20}))).unwrap();
    assert_eq!(of(&mut w, context, cluster, "product-service")["desiredCount"], 20, "raised first, the maximum lets it be");
    autoscaling::handle(estate(&mut w, context), "RegisterScalableTarget", &register(json!({"MaxCapacity": 15}))).unwrap();
    assert_eq!(of(&mut w, context, cluster, "product-service")["desiredCount"], 15);
    // Left alone, the policy takes tasks back once the load is spread too thin.
    let mut w = seeds();
    w.start_drill("L2").unwrap();
    run(&mut w, 3600, |_| {});
    let desired = of(&mut w, context, cluster, "product-service")["desiredCount"].as_u64().unwrap();
    assert!(desired <= 15, "{desired}");
}

#[test]
fn l3_green_falls_ill_in_the_bake_and_a_stop_gives_the_traffic_back() {
    let (context, cluster) = LOMASH;
    let mut w = seeds();
    let release = release_of(&mut w, "order-payment-service");
    assert_eq!(release["status"], "InProgress");
    let target = |w: &mut World, id: &Value| {
        let asked = json!({"deploymentId": id, "targetId": "lomash-production:order-payment-service"});
        let told = codedeploy::handle(estate(w, context), "GetDeploymentTarget", &asked).unwrap();
        told["deploymentTarget"]["ecsTarget"].clone()
    };
    let sets = target(&mut w, &release["deploymentId"])["taskSetsInfo"].clone();
    assert_eq!((&sets[0]["trafficWeight"], &sets[1]["trafficWeight"]), (&json!(90.0), &json!(10.0)));
    w.start_drill("L3").unwrap();
    let green = sets[1]["targetGroup"]["name"].as_str().unwrap().to_owned();
    let mut sick = 0;
    run(&mut w, 150, |w| {
        let group = estate(w, context).target_groups.iter().find(|g| g.name == green).unwrap();
        sick = sick.max(group.targets.iter().filter(|t| t.state == TargetState::Unhealthy).count());
    });
    assert_eq!(sick, 3, "all green targets are unhealthy");
    let stop = json!({"deploymentId": release["deploymentId"], "autoRollbackEnabled": true});
    let told = codedeploy::handle(estate(&mut w, context), "StopDeployment", &stop).unwrap();
    assert_eq!(told["status"], "Pending");
    run(&mut w, 300, |_| {});
    let back = release_of(&mut w, "order-payment-service");
    assert_eq!((&back["status"], &back["creator"]), (&json!("Succeeded"), &json!("codeDeployRollback")));
    assert_eq!(back["rollbackInfo"]["rollbackTriggeringDeploymentId"], release["deploymentId"]);
    assert_eq!(of(&mut w, context, cluster, "order-payment-service")["taskSets"].as_array().unwrap().len(), 1);
}

#[test]
fn l4_a_finished_release_is_rolled_back_by_another_with_the_same_hooks() {
    let (context, cluster) = LOMASH;
    let mut w = seeds();
    let before = of(&mut w, context, cluster, "content-service")["taskSets"][0]["taskDefinition"].clone();
    w.start_drill("L4").unwrap();
    run(&mut w, 1800, |_| {});
    let done = release_of(&mut w, "content-service");
    assert_eq!(done["status"], "Succeeded");
    let running = of(&mut w, context, cluster, "content-service")["taskSets"][0]["taskDefinition"].clone();
    assert_ne!(running, before);
    let spec = spec_of(&done);
    assert!(spec.contains("lomash-prod-smoke") && spec.contains(running.as_str().unwrap()), "{spec}");
    let back = spec.replace(running.as_str().unwrap(), before.as_str().unwrap());
    let create = json!({"applicationName": "lomash-prod", "deploymentGroupName": "content-service",
        "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": back}}});
    codedeploy::handle(estate(&mut w, context), "CreateDeployment", &create).unwrap();
    run(&mut w, 1800, |_| {});
    assert_eq!(release_of(&mut w, "content-service")["status"], "Succeeded");
    assert_eq!(of(&mut w, context, cluster, "content-service")["taskSets"][0]["taskDefinition"], before);
}

#[test]
fn l4_a_smoke_test_that_says_no_ends_the_release_before_any_traffic() {
    let mut w = seeds();
    let (context, cluster) = LOMASH;
    let before = of(&mut w, context, cluster, "content-service")["taskSets"][0]["id"].clone();
    w.start_drill("L4-hook").unwrap();
    run(&mut w, 600, |_| {});
    let back = release_of(&mut w, "content-service");
    assert_eq!((&back["status"], &back["creator"]), (&json!("Succeeded"), &json!("codeDeployRollback")));
    assert_eq!(of(&mut w, context, cluster, "content-service")["taskSets"][0]["id"], before);
}

#[test]
fn l5_the_running_revision_is_released_again_and_force_is_refused() {
    let (context, cluster) = LOMASH;
    let mut w = seeds();
    let before = of(&mut w, context, cluster, "auth-service")["taskSets"][0].clone();
    let caller = Caller { arn: String::new() };
    let force = json!({"cluster": cluster, "service": "auth-service", "forceNewDeployment": true});
    let refused = ecs::handle(estate(&mut w, context), &caller, "UpdateService", &force).unwrap_err();
    assert!(refused.message.starts_with("Cannot force a new deployment on services with a CODE_DEPLOY deployment controller."));
    w.start_drill("L5").unwrap();
    run(&mut w, 120, |_| {});
    let sets = of(&mut w, context, cluster, "auth-service")["taskSets"].clone();
    assert_eq!(sets.as_array().unwrap().len(), 2);
    assert_eq!(sets[1]["taskDefinition"], before["taskDefinition"]);
    assert_ne!(sets[1]["id"], before["id"]);
}

#[test]
fn l7_one_old_task_goes_for_each_new_one() {
    let mut w = seeds();
    w.start_drill("L7").unwrap();
    let (mut most, mut least) = (0, 9);
    run(&mut w, 900, |w| {
        let service = of(w, "lomash-staging", "lomash-staging", "product-service");
        let (running, pending) = (service["runningCount"].as_u64().unwrap(), service["pendingCount"].as_u64().unwrap());
        (most, least) = (most.max(running + pending), least.min(running));
    });
    assert_eq!((most, least), (3, 2), "one task at a time");
    let service = of(&mut w, "lomash-staging", "lomash-staging", "product-service");
    assert_eq!((service["deployments"].as_array().unwrap().len(), &service["deployments"][0]["rolloutState"]), (1, &json!("COMPLETED")));
}

#[test]
fn o4_a_service_of_one_task_never_drops_to_none() {
    let (context, cluster, name) = OKY;
    let mut w = seeds();
    let before = of(&mut w, context, cluster, name)["deployments"][0]["id"].clone();
    w.start_drill("O4").unwrap();
    run(&mut w, 600, |w| assert!(of(w, context, cluster, name)["runningCount"].as_u64().unwrap() >= 1));
    let after = of(&mut w, context, cluster, name);
    assert_eq!((after["deployments"].as_array().unwrap().len(), &after["deployments"][0]["rolloutState"]), (1, &json!("COMPLETED")));
    assert_ne!(after["deployments"][0]["id"], before);
}

#[test]
fn o6_the_revision_before_names_an_image_that_has_expired() {
    let (context, cluster, name) = OKY;
    let mut w = seeds();
    let running = of(&mut w, context, cluster, name)["taskDefinition"].as_str().unwrap().to_owned();
    let (family, number) = running.rsplit_once(':').unwrap();
    let older = format!("{family}:{}", number.parse::<u32>().unwrap() - 1);
    let told = ask(&mut w, context, "DescribeTaskDefinition", &json!({"taskDefinition": older}));
    let image = told["taskDefinition"]["containerDefinitions"][0]["image"].as_str().unwrap().to_owned();
    assert!(image.ends_with("oky/api_en:2025_04"), "{image}");
    w.start_drill("O6").unwrap();
    let asked = json!({"repositoryName": "oky/api_en", "imageIds": [{"imageTag": "2025_04"}]});
    assert_eq!(ecr::handle(estate(&mut w, context), "DescribeImages", &asked).unwrap_err().code, "ImageNotFoundException");
    ask(&mut w, context, "UpdateService", &json!({"cluster": cluster, "service": name, "taskDefinition": older}));
    run(&mut w, 120, |_| {});
    assert!(
        deployments(&mut w, context, cluster, name)["deploymentCircuitBreaker"]["failureCount"].as_u64().unwrap() > 0,
        "it cannot be pulled"
    );
}

#[test]
fn c1_failures_are_counted_to_the_threshold_and_the_revision_before_comes_back() {
    let (context, cluster, name) = CAMPUS;
    let mut w = seeds();
    // What stands in progress as the world opens ends first.
    run(&mut w, 2400, |_| {});
    let good = of(&mut w, context, cluster, name)["taskDefinition"].clone();
    w.start_drill("C1").unwrap();
    let (mut statuses, mut counts) = (Vec::new(), Vec::new());
    // The pipeline comes again every 80 minutes; this much is one release and its way back.
    run(&mut w, 1500, |w| {
        let d = deployments(w, context, cluster, name);
        let (status, breaker) = (d["status"].clone(), d["deploymentCircuitBreaker"].clone());
        if statuses.last() != Some(&status) {
            statuses.push(status);
        }
        let count = breaker["failureCount"].as_u64().unwrap();
        if counts.last() != Some(&count) {
            counts.push(count);
        }
        assert_eq!(breaker["threshold"], 3);
    });
    assert_eq!(statuses, ["IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"]);
    assert_eq!(counts, [0, 1, 2, 3]);
    assert_eq!(of(&mut w, context, cluster, name)["taskDefinition"], good);
}

#[test]
fn c2_four_tasks_come_and_go_again_and_no_deployment_with_them() {
    let (context, cluster, name) = CAMPUS;
    let mut w = seeds();
    run(&mut w, 2400, |_| {});
    let before = of(&mut w, context, cluster, name);
    w.start_drill("C2").unwrap();
    run(&mut w, 420, |_| {});
    let service = of(&mut w, context, cluster, name);
    assert_eq!((&service["desiredCount"], &service["runningCount"]), (&json!(4), &json!(4)));
    assert_eq!(service["deployments"][0]["id"], before["deployments"][0]["id"]);
    let back = json!({"cluster": cluster, "service": name, "desiredCount": before["desiredCount"]});
    ask(&mut w, context, "UpdateService", &back);
    run(&mut w, 420, |_| {});
    assert_eq!(of(&mut w, context, cluster, name)["runningCount"], before["desiredCount"]);
}

#[test]
fn x3_what_a_plan_rests_on_moves_at_once() {
    let mut w = seeds();
    let before = of(&mut w, "lomash-staging", "lomash-staging", "customer-service");
    w.start_drill("X3").unwrap();
    let after = of(&mut w, "lomash-staging", "lomash-staging", "customer-service");
    assert_ne!(after["taskDefinition"], before["taskDefinition"]);
    assert_eq!((&before["desiredCount"], &after["desiredCount"]), (&json!(2), &json!(4)));
    assert_eq!(after["deployments"].as_array().unwrap().len(), 2);
}
