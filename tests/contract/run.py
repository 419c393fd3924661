"""Drives the embedded AWS with botocore: every operation, its shapes, limits, errors and pages.

usage: run.py PATH-OF-MIDWATCH [SECTION]

What AWS would not do is a failure, whether or not midwatch would mind. Prints one line for each section, then every failure,
then how much was checked; the exit code is 1 if anything failed.
"""

import sys
from pathlib import Path

import autoscaling
import cloudwatch
import codedeploy
import ecr
import ecs_reads
import ecs_shifts
import ecs_writes
import elbv2
import exec
import identity
import logs
import network
import vault
from harness import Report, Sim

OFFERED = {
    "ecs": """ListClusters DescribeClusters ListServices DescribeServices ListTasks DescribeTasks ListTaskDefinitions
        ListTaskDefinitionFamilies DescribeTaskDefinition ListContainerInstances DescribeContainerInstances
        DescribeCapacityProviders ListServiceDeployments DescribeServiceDeployments DescribeServiceRevisions
        RegisterTaskDefinition UpdateService StopTask RunTask StopServiceDeployment ContinueServiceDeployment
        UpdateContainerInstancesState GetTaskProtection UpdateTaskProtection DescribeTaskSets CreateTaskSet UpdateTaskSet
        UpdateServicePrimaryTaskSet DeleteTaskSet DeregisterTaskDefinition DeleteService ExecuteCommand""",
    "logs": "DescribeLogGroups DescribeLogStreams FilterLogEvents GetLogEvents StartLiveTail",
    "elbv2": "DescribeTargetGroups DescribeTargetHealth DescribeListeners DescribeRules DescribeLoadBalancers",
    "sts": "GetCallerIdentity AssumeRole",
    "ecr": "DescribeRepositories DescribeImages ListImages BatchGetImage",
    "application-autoscaling": """DescribeScalableTargets DescribeScalingPolicies DescribeScalingActivities DescribeScheduledActions
        RegisterScalableTarget""",
    "cloudwatch": "GetMetricData DescribeAlarms SetAlarmState",
    "codedeploy": """ListApplications GetApplication BatchGetApplications ListDeploymentGroups GetDeploymentGroup
        BatchGetDeploymentGroups GetDeploymentConfig ListDeploymentConfigs CreateDeployment GetDeployment BatchGetDeployments
        ListDeployments ListDeploymentTargets GetDeploymentTarget BatchGetDeploymentTargets StopDeployment ContinueDeployment""",
    "kms": "GenerateDataKey Decrypt DescribeKey",
    "iam": "SimulatePrincipalPolicy GetRole GetInstanceProfile",
    "ec2": "DescribeInstances DescribeSubnets DescribeVpcEndpoints DescribeRouteTables",
    "ssm": "GetParameters StartSession ResumeSession TerminateSession",
    "secretsmanager": "DescribeSecret",
}


def main():
    binary, only = sys.argv[1], sys.argv[2:]
    report = Report()

    def wanted(name):
        return not only or name in only

    def at_rest(name, drive, **options):
        if wanted(name):
            with report.section(name):
                with Sim(binary, report, **options) as sim:
                    drive(report, sim)

    at_rest("ecs", ecs_reads.run)
    at_rest("large", ecs_reads.large, scenario="large", settings="services=250,tasks=620,clusters=1")
    at_rest("logs", logs.run)
    at_rest("elbv2", elbv2.run)
    at_rest("identity", identity.run)
    at_rest("doors", identity.doors, scenario=str(Path(__file__).with_name("doors.toml")))
    at_rest("throttles", identity.throttles)
    beside = str(Path(__file__).with_name("beside.toml"))
    at_rest("ecr", ecr.run, scenario=beside)
    at_rest("autoscaling", autoscaling.run, scenario=beside, speed="60")
    at_rest("cloudwatch", cloudwatch.run, scenario=beside)
    at_rest("codedeploy", codedeploy.run, scenario=beside, speed="60")
    at_rest("exec", exec.run)
    at_rest("network", network.run)
    at_rest("network doors", network.denied, scenario=str(Path(__file__).with_name("doors.toml")))
    at_rest("vault", vault.run, scenario="seeds")
    at_rest("writes", ecs_writes.run, speed="30")
    at_rest("shifts", ecs_shifts.run, scenario=str(Path(__file__).with_name("shifts.toml")), speed="30")
    at_rest("breaker", ecs_writes.breaker, speed="30")
    if not only:
        for service, operations in OFFERED.items():
            for operation in operations.split():
                report.check(f"{service}:{operation}" in report.answered, f"{service}:{operation} was never answered")
    for failure in report.failures:
        print(f"FAILED {failure}")
    print(f"{report.checks} checks of {report.replies} replies, {report.members} members compared, {len(report.failures)} failed")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
