"""Runs moto's server on a free loopback port with a small fleet in it, until standard input ends.

Prints one JSON line with the endpoint and the names that a client should show. moto starts no tasks for a service, so the tasks
are run by RunTask in the service's group, as ECS itself would have them.
"""

import json
import logging
import sys
import time

import botocore.session
from moto.moto_api import state_manager
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

REGION, CLUSTER, GROUP = "eu-west-1", "harbour-moto", "/ecs/pilot"
SERVICES = {"pilot": 3, "lighthouse": 2}


def main():
    logging.getLogger("werkzeug").disabled = True
    # Without this a task walks to STOPPED by being looked at.
    state_manager.set_transition(model_name="ecs::task", transition={"progression": "manual", "times": 1_000_000})
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    world = fill(endpoint)
    print(json.dumps({"endpoint": endpoint, "region": REGION, "cluster": CLUSTER, **world}), flush=True)
    sys.stdin.read()
    server.stop()


def fill(endpoint):
    session = botocore.session.Session()

    def client(service):
        return session.create_client(
            service, region_name=REGION, endpoint_url=endpoint, aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="moto"
        )

    ec2, ecs, elb, logs = client("ec2"), client("ecs"), client("elbv2"), client("logs")
    subnets = ec2.describe_subnets()["Subnets"]
    network = {
        "awsvpcConfiguration": {
            "subnets": [subnets[0]["SubnetId"]],
            "securityGroups": [ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]],
        }
    }
    ecs.create_cluster(clusterName=CLUSTER)
    logs.create_log_group(logGroupName=GROUP)
    tasks, targets, lines = [], [], []
    for name, count in SERVICES.items():
        group = target_group(elb, name, subnets)
        definition = ecs.register_task_definition(
            family=name, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
            containerDefinitions=[{
                "name": "app", "image": f"example/{name}:1.4.2", "cpu": 256, "memory": 512, "essential": True,
                "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": name},
                },
            }],
        )["taskDefinition"]["taskDefinitionArn"]
        ecs.create_service(
            cluster=CLUSTER, serviceName=name, taskDefinition=definition, desiredCount=count, launchType="FARGATE",
            networkConfiguration=network, loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8080}],
        )
        for _ in range(count):
            task = ecs.run_task(
                cluster=CLUSTER, taskDefinition=definition, launchType="FARGATE", networkConfiguration=network, group=f"service:{name}"
            )["tasks"][0]
            identity = task["taskArn"].rsplit("/", 1)[1]
            details = {d["name"]: d["value"] for d in task["attachments"][0]["details"]}
            elb.register_targets(TargetGroupArn=group, Targets=[{"Id": details["privateIPv4Address"], "Port": 8080}])
            line = f"{name} took {identity[:8]} on board"
            stream = f"{name}/app/{identity}"
            logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
            now = int(time.time() * 1000)
            logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[{"timestamp": now, "message": line}])
            tasks.append({"service": name, "id": identity})
            targets.append({"service": name, "address": details["privateIPv4Address"]})
            lines.append({"service": name, "text": line})
    return {"services": list(SERVICES), "tasks": tasks, "targets": targets, "lines": lines}


def target_group(elb, name, subnets):
    balancer = elb.create_load_balancer(Name=name, Subnets=[s["SubnetId"] for s in subnets[:2]])["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name=name, Protocol="HTTP", Port=8080, VpcId=subnets[0]["VpcId"], TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}]
    )
    return group


if __name__ == "__main__":
    main()
