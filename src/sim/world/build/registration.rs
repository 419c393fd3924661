//! What `RegisterTaskDefinition` would be sent for a service of a scenario.

use serde_json::{Value, json};

use crate::sim::rng;
use crate::sim::scenario::schema as file;
use crate::sim::scenario::{LaunchType, LogDriver};
use crate::sim::world::state::Estate;

impl Estate {
    /// What `RegisterTaskDefinition` would be sent for a service's revision with these image tags.
    pub(in crate::sim::world) fn registration(&self, service: &file::Service, tags: &[String]) -> Value {
        let family = service.family.as_ref().unwrap_or(&service.name);
        let ec2 = service.launch == LaunchType::Ec2;
        let containers: Vec<Value> =
            service.container.iter().zip(tags).map(|(c, tag)| self.container_registration(family, service, c, tag)).collect();
        let mut input = json!({
            "family": family,
            "executionRoleArn": self.role_arn(service.execution_role.as_deref().unwrap_or("ecs-task-execution")),
            "networkMode": match service.network {
                _ if !ec2 => "awsvpc",
                file::Network::Bridge => "bridge",
                file::Network::Host => "host",
                file::Network::Awsvpc => "awsvpc",
            },
            "containerDefinitions": containers,
            "requiresCompatibilities": [if ec2 { "EC2" } else { "FARGATE" }],
        });
        let role = service.task_role.clone().unwrap_or_else(|| format!("{family}-task"));
        if !role.is_empty() {
            input["taskRoleArn"] = json!(self.role_arn(&role));
        }
        if service.shared_pids {
            input["pidMode"] = json!("task");
        }
        for (key, value) in &service.future {
            // Whatever TOML can say, JSON can.
            input[key] = serde_json::to_value(value).unwrap_or_default();
        }
        if !ec2 {
            input["cpu"] = json!(service.cpu.to_string());
            input["memory"] = json!(service.memory.to_string());
            let platform = json!({"cpuArchitecture": service.architecture, "operatingSystemFamily": "LINUX"});
            input["runtimePlatform"] = platform;
        } else if let Some(memory) = service.task_memory {
            input["memory"] = json!(memory.to_string());
        }
        input
    }

    fn container_registration(&self, family: &str, service: &file::Service, file: &file::Container, tag: &str) -> Value {
        let log_group = service.log_group.clone().unwrap_or_else(|| format!("/ecs/{family}"));
        let image = if file.is_own() { format!("{}/{}:{tag}", self.registry(), file.image) } else { format!("{}:{tag}", file.image) };
        let mut c = json!({"name": file.name, "image": image, "cpu": file.cpu, "essential": file.essential});
        if file.memory > 0 {
            c["memory"] = json!(file.memory);
        }
        if !file.command.is_empty() {
            c["command"] = json!(file.command);
        }
        if file.read_only {
            c["readonlyRootFilesystem"] = json!(true);
        }
        if file.init {
            c["linuxParameters"] = json!({"initProcessEnabled": true});
        }
        if file.memory_reservation > 0 {
            c["memoryReservation"] = json!(file.memory_reservation);
        }
        let host_ports = file.host_ports.iter().copied().chain(std::iter::repeat(0));
        let ports = file.ports.iter().zip(host_ports).map(|(port, host)| {
            let mut mapping = json!({"containerPort": port, "protocol": "tcp"});
            if host > 0 {
                mapping["hostPort"] = json!(host);
            }
            mapping
        });
        c["portMappings"] = ports.collect();
        let environment = file.environment.iter().map(|(name, value)| json!({"name": name, "value": value}));
        c["environment"] = environment.collect();
        if !file.depends_on.is_empty() {
            let one = |(name, condition): (&String, &file::Condition)| json!({"containerName": name, "condition": condition.word()});
            c["dependsOn"] = file.depends_on.iter().map(one).collect();
        }
        if !file.environment_files.is_empty() {
            c["environmentFiles"] = file.environment_files.iter().map(|arn| json!({"value": arn, "type": "s3"})).collect();
        }
        if !file.secrets.is_empty() || !file.parameters.is_empty() {
            let secret = |(name, path): (&String, &String)| {
                // Secrets Manager appends six characters of its own.
                let suffix = format!("{:06x}", rng::hash(path) & 0xff_ffff);
                json!({"name": name, "valueFrom": self.arn("secretsmanager", &format!("secret:{path}-{suffix}"))})
            };
            let parameter = |(name, path): (&String, &String)| {
                let path = path.trim_start_matches('/');
                json!({"name": name, "valueFrom": self.arn("ssm", &format!("parameter/{path}"))})
            };
            c["secrets"] = file.secrets.iter().map(secret).chain(file.parameters.iter().map(parameter)).collect();
        }
        if let Some(check) = &file.health_check {
            let mut said = json!({
                "command": ["CMD-SHELL", check.command], "interval": check.interval,
                "timeout": check.timeout, "retries": check.retries,
            });
            if check.start_period > 0 {
                said["startPeriod"] = json!(check.start_period);
            }
            c["healthCheck"] = said;
        }
        let awslogs = |prefix: &str| {
            json!({"logDriver": "awslogs", "options": {
                "awslogs-group": log_group,
                "awslogs-region": self.region,
                "awslogs-stream-prefix": prefix,
            }})
        };
        match file.log_driver {
            LogDriver::Awslogs => c["logConfiguration"] = awslogs(file.log_prefix.as_deref().unwrap_or("ecs")),
            LogDriver::Router => {
                c["logConfiguration"] = awslogs("firelens");
                c["firelensConfiguration"] = json!({"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}});
            }
            LogDriver::Awsfirelens => {
                c["logConfiguration"] = json!({"logDriver": "awsfirelens", "options": {
                    "Name": "firehose", "region": self.region, "delivery_stream": format!("{family}-logs"),
                }});
            }
            LogDriver::None => {}
        }
        c
    }
}
