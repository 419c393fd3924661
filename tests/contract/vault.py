"""Parameter Store and Secrets Manager of `seeds`: what a client asks before it deploys."""

from harness import always_has, refused

PARAMETER = "/learning-platform/staging/POSTGRES_PASSWORD"
SECRET = "lomash-staging/database-url"


def run(report, sim):
    with report.section("parameters"):
        parameters(report, sim)
    with report.section("secrets"):
        secrets(report, sim)
    with report.section("who may not"):
        narrow = sim.contexts["oky-updater"]
        ssm = sim.client("ssm", narrow, attempts=1)
        words = "is not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:eu-west-2:637423184246:parameter/a/b"
        refused(report, ssm.get_parameters, "AccessDeniedException", words, Names=["/a/b"])
        manager = sim.client("secretsmanager", narrow, attempts=1)
        refused(report, manager.describe_secret, "AccessDeniedException", "secretsmanager:DescribeSecret on resource: a", SecretId="a")


def parameters(report, sim):
    ssm = sim.client("ssm", sim.contexts["zanda360"])
    reply = ssm.get_parameters(Names=[PARAMETER, "/nobody"])
    report.equal([p["Name"] for p in reply["Parameters"]], [PARAMETER], "parameters that are there")
    report.equal(reply["InvalidParameters"], ["/nobody"], "and that are not")
    always_has(report, reply["Parameters"][0], ("Name", "Type", "Value", "Version", "LastModifiedDate", "ARN", "DataType"), "a parameter")
    by_arn = ssm.get_parameters(Names=[reply["Parameters"][0]["ARN"]], WithDecryption=True)
    report.equal([p["Name"] for p in by_arn["Parameters"]], [PARAMETER], "a parameter by its ARN")
    loose = sim.client("ssm", sim.contexts["zanda360"], validate=False)
    refused(report, loose.get_parameters, "ValidationException", Names=[])
    refused(report, loose.get_parameters, "ValidationException", Names=[f"p{i}" for i in range(11)])


def secrets(report, sim):
    manager = sim.client("secretsmanager", sim.contexts["lomash-staging"])
    secret = manager.describe_secret(SecretId=SECRET)
    report.equal(secret["Name"], SECRET, "a secret by its name")
    report.equal(manager.describe_secret(SecretId=secret["ARN"])["ARN"], secret["ARN"], "and by its ARN")
    always_has(report, secret, ("ARN", "Name", "LastChangedDate", "CreatedDate", "VersionIdsToStages"), "a secret")
    refused(report, manager.describe_secret, "ResourceNotFoundException", "can't find the specified secret", SecretId="nobody")
