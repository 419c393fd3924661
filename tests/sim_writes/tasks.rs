//! Tasks, their definitions and the hosts that they run on.

use super::clients::ecs;
use super::{described, refusal, until, world};
use aws_sdk_ecs::types::{
    AwsVpcConfiguration, Compatibility, ContainerDefinition, ContainerInstanceStatus, ContainerOverride, LaunchType, NetworkConfiguration,
    NetworkMode, TaskOverride, TaskStopCode,
};

fn network(subnets: &[&str]) -> NetworkConfiguration {
    let vpc = AwsVpcConfiguration::builder().set_subnets(Some(subnets.iter().map(|s| (*s).to_owned()).collect()));
    NetworkConfiguration::builder().awsvpc_configuration(vpc.build().unwrap()).build()
}

#[tokio::test]
async fn a_one_off_task_runs_once_for_a_token_and_with_what_was_overridden() {
    let sim = world("small");
    let ecs = ecs(&sim, "acme-prod");
    let run = |container: &str, count: i32| {
        let with = ContainerOverride::builder().name(container).command("migrate").build();
        ecs.run_task()
            .cluster("web-prod")
            .task_definition("cart")
            .launch_type(LaunchType::Fargate)
            .network_configuration(network(&["subnet-1"]))
            .overrides(TaskOverride::builder().container_overrides(with).build())
            .started_by("midwatch")
            .client_token("once")
            .count(count)
            .send()
    };
    let (code, words) = refusal(run("nobody", 1).await);
    assert_eq!(code, "InvalidParameterException");
    assert_eq!(words, "Override for container named nobody is not a container in the TaskDefinition.");
    let first = run("app", 2).await.unwrap();
    let arns = |reply: &aws_sdk_ecs::operation::run_task::RunTaskOutput| -> Vec<String> {
        reply.tasks().iter().filter_map(|t| t.task_arn().map(str::to_owned)).collect()
    };
    assert_eq!(first.tasks().len(), 2);
    assert_eq!(arns(&run("app", 2).await.unwrap()), arns(&first), "the same request again starts nothing");
    assert_eq!(refusal(run("app", 3).await).0, "ConflictException");
    let task = &first.tasks()[0];
    assert_eq!((task.started_by(), task.group()), (Some("midwatch"), Some("family:cart")));
    let with = task.overrides().unwrap().container_overrides();
    assert_eq!((with[0].name(), with[0].command()), (Some("app"), &["migrate".to_owned()][..]));
    let bare = ecs.run_task().cluster("web-prod").task_definition("cart").launch_type(LaunchType::Fargate);
    assert!(refusal(bare.clone().send().await).1.starts_with("Network Configuration must be provided"));
    assert_eq!(refusal(bare.network_configuration(network(&[])).send().await).1, "subnets can not be empty.");
}

#[tokio::test]
async fn a_task_without_room_is_a_failure_in_a_good_reply() {
    let sim = world("shifts.toml");
    let ecs = ecs(&sim, "shifts");
    let reply = ecs.run_task().cluster("main").task_definition("hosted").launch_type(LaunchType::Ec2).send().await.unwrap();
    assert!(reply.tasks().is_empty());
    assert_eq!(reply.failures()[0].reason(), Some("RESOURCE:PORTS"));
    assert!(reply.failures()[0].arn().unwrap().contains(":container-instance/main/"));
}

#[tokio::test]
async fn a_stopped_task_says_who_stopped_it_and_a_protected_one_stays() {
    let sim = world("small");
    let ecs = ecs(&sim, "acme-prod");
    let arns = ecs.list_tasks().cluster("web-prod").service_name("cart").send().await.unwrap().task_arns.unwrap();
    let stopped = ecs.stop_task().cluster("web-prod").task(&arns[0]).reason("drill").send().await.unwrap().task.unwrap();
    assert_eq!((stopped.stopped_reason(), stopped.desired_status()), (Some("drill"), Some("STOPPED")));
    assert_eq!(stopped.stop_code(), Some(&TaskStopCode::UserInitiated));
    let gone = ecs.stop_task().cluster("web-prod").task("0123456789abcdef0123456789abcdef").send().await;
    assert_eq!(refusal(gone), ("InvalidParameterException".to_owned(), "The referenced task was not found.".to_owned()));
    let protect = |on: bool| ecs.update_task_protection().cluster("web-prod").tasks(&arns[1]).protection_enabled(on);
    let shown = protect(true).expires_in_minutes(30).send().await.unwrap();
    assert_eq!(shown.protected_tasks()[0].expiration_date().unwrap().to_millis().unwrap(), sim.now() + 30 * 60_000);
    assert_eq!(refusal(protect(true).expires_in_minutes(2881).send().await).0, "InvalidParameterException");
    let told = ecs.get_task_protection().cluster("web-prod").tasks(&arns[1]).send().await.unwrap();
    assert!(told.protected_tasks()[0].protection_enabled());
    protect(false).send().await.unwrap();
    let told = ecs.get_task_protection().cluster("web-prod").tasks(&arns[1]).send().await.unwrap();
    assert!(!told.protected_tasks()[0].protection_enabled());
    let run = ecs.run_task().cluster("web-prod").task_definition("cart").launch_type(LaunchType::Fargate);
    let alone = run.network_configuration(network(&["subnet-1"])).send().await.unwrap();
    let arn = alone.tasks()[0].task_arn().unwrap();
    let alone = ecs.update_task_protection().cluster("web-prod").tasks(arn).protection_enabled(true).send().await.unwrap();
    assert_eq!(alone.failures()[0].reason(), Some("TASK_NOT_VALID"), "only tasks of services can be protected");
}

#[tokio::test]
async fn a_host_that_drains_gives_its_tasks_away_and_takes_none() {
    let sim = world("shifts.toml");
    let ecs = ecs(&sim, "shifts");
    ecs.update_service().cluster("main").service("hosted").desired_count(1).send().await.unwrap();
    until(&sim, "one task is left", async || described(&ecs, "main", "hosted").await.running_count() == 1).await;
    let task = ecs.list_tasks().cluster("main").service_name("hosted").send().await.unwrap().task_arns.unwrap().remove(0);
    let task = ecs.describe_tasks().cluster("main").tasks(task).send().await.unwrap().tasks.unwrap().remove(0);
    let host = task.container_instance_arn().unwrap().to_owned();
    let set = |status| ecs.update_container_instances_state().cluster("main").container_instances(&host).status(status).send();
    let reply = set(ContainerInstanceStatus::Draining).await.unwrap();
    assert_eq!(reply.container_instances()[0].status(), Some("DRAINING"));
    let on_host = async || ecs.list_tasks().cluster("main").container_instance(&host).send().await.unwrap().task_arns.unwrap();
    until(&sim, "the host is empty", async || on_host().await.is_empty()).await;
    assert_eq!(described(&ecs, "main", "hosted").await.running_count(), 1, "the task stands elsewhere");
    assert_eq!(set(ContainerInstanceStatus::Active).await.unwrap().container_instances()[0].status(), Some("ACTIVE"));
    assert_eq!(refusal(set(ContainerInstanceStatus::Registering).await).0, "InvalidParameterException");
}

#[tokio::test]
async fn a_registration_is_held_against_the_rules_of_fargate() {
    let sim = world("small");
    let ecs = ecs(&sim, "acme-prod");
    let image = "219087346512.dkr.ecr.eu-west-1.amazonaws.com/cart:v1";
    let container = ContainerDefinition::builder().name("app").image(image).essential(true).build();
    let register = |cpu: &str, memory: &str| {
        let register = ecs.register_task_definition().family("job").network_mode(NetworkMode::Awsvpc).cpu(cpu).memory(memory);
        register.requires_compatibilities(Compatibility::Fargate).container_definitions(container.clone())
    };
    let words = refusal(register("256", "512").send().await);
    let without = "Fargate requires task definition to have execution role ARN to support ECR images.";
    assert_eq!(words, ("ClientException".to_owned(), without.to_owned()));
    let role = "arn:aws:iam::219087346512:role/ecs-task-execution";
    assert!(refusal(register("300", "512").execution_role_arn(role).send().await).1.starts_with("Invalid 'cpu' setting for task."));
    assert!(refusal(register("256", "4096").execution_role_arn(role).send().await).1.starts_with("No Fargate configuration exists"));
    let long = "x".repeat(70_000);
    let huge = container.clone();
    let huge = ContainerDefinition::builder().name(huge.name().unwrap()).image(image).command(long).build();
    let too_long = ecs.register_task_definition().family("job").memory("512").container_definitions(huge).send().await;
    assert!(refusal(too_long).1.ends_with("Max allowed length is '65536' bytes."));
    let made = register("256", "512").execution_role_arn(role).send().await.unwrap().task_definition.unwrap();
    assert_eq!((made.family(), made.revision()), (Some("job"), 1));
}
