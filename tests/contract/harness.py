"""Starts the embedded AWS, makes botocore clients for its contexts, and counts the checks.

Every reply that a client receives is compared with the model before botocore parses it, so a check of meaning is also a check of
shape. Knows no AWS operation by name.
"""

import json
import subprocess
import time
from contextlib import contextmanager

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

import shapes


class Report:
    """Counts checks and keeps failures; a failed check never stops the others."""

    def __init__(self):
        self.checks = 0
        self.members = 0
        self.replies = 0
        self.failures = []
        self.answered = set()
        self._known_faults = set()

    def check(self, passed, message):
        self.checks += 1
        if not passed:
            self.failures.append(message)
        return bool(passed)

    def equal(self, found, wanted, message):
        return self.check(found == wanted, f"{message}: found {found!r}, wanted {wanted!r}")

    def compared(self, operation, comparison):
        self.replies += 1
        self.members += comparison.members
        self.checks += 1
        for fault in comparison.faults:
            # A fault in every row of every page is one fault.
            kind = "".join(c for c in fault if not c.isdigit())
            if kind not in self._known_faults:
                self._known_faults.add(kind)
                self.failures.append(f"shape of {operation}: {fault}")

    @contextmanager
    def section(self, name):
        """What goes wrong in one section is reported, and the next one runs."""
        started, before = time.monotonic(), self.checks
        try:
            yield
        except Exception as error:  # pylint: disable=broad-except
            self.failures.append(f"{name} stopped early: {type(error).__name__}: {error} (line {line_of(error)})")
        print(f"  {name}: {self.checks - before} checks, {time.monotonic() - started:.1f} s", flush=True)


def line_of(error):
    trace, place = error.__traceback__, "?"
    while trace:
        name = trace.tb_frame.f_code.co_filename
        if "contract" in name and "site-packages" not in name:
            place = f"{name.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


class Sim:
    """`midwatch sim` as a child process on a free loopback port."""

    def __init__(self, binary, report, scenario="small", speed="1", settings=None, seed="1"):
        self.report = report
        arguments = ["--scenario", scenario, "--seed", seed, "--speed", speed]
        if settings:
            arguments += ["--set", settings]
        listed = subprocess.run([binary, "sim", *arguments, "--list"], check=True, capture_output=True, text=True, timeout=60)
        self.contexts = {context["name"]: context for context in json.loads(listed.stdout)}
        self.process = subprocess.Popen(
            [binary, "sim", "--listen", "127.0.0.1:0", *arguments], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline().strip()
        prefix = "listening on http://127.0.0.1:"
        if not line.startswith(prefix):
            self.process.kill()
            raise RuntimeError(f"midwatch sim said {line!r} and not {prefix}PORT")
        self.endpoint = line.removeprefix("listening on ")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.report.check(False, "midwatch sim ignores SIGTERM")

    def client(self, service, context, *, attempts=12, validate=True, keys=None, region=None, read_timeout=20):
        """A botocore client for one context; `attempts` 1 shows every error, more ride out throttles."""
        return make_client(
            self.report,
            service,
            self.endpoint,
            region or context["region"],
            keys or (context["access_key"], context["secret_key"], context.get("session_token")),
            attempts=attempts,
            validate=validate,
            read_timeout=read_timeout,
        )


def make_client(report, service, endpoint, region, keys, *, attempts=12, validate=True, read_timeout=20):
    session = botocore.session.Session()
    client = session.create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        aws_session_token=keys[2] if len(keys) > 2 else None,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            parameter_validation=validate,
            # StartLiveTail's host prefix would be glued on the loopback address.
            inject_host_prefix=False,
            read_timeout=read_timeout,
            connect_timeout=5,
        ),
    )

    def inspect(operation_model, response_dict, **_):
        name = f"{service}:{operation_model.name}"
        headers = {key.lower(): value for key, value in response_dict["headers"].items()}
        report.check(headers.get("x-amzn-requestid"), f"{name}: no x-amzn-RequestId header")
        if response_dict["status_code"] == 200 and not operation_model.has_event_stream_output:
            report.compared(name, shapes.compare_reply(operation_model, headers, response_dict["body"]))
        if response_dict["status_code"] == 200:
            report.answered.add(name)

    client.meta.events.register("before-parse.*", inspect)
    return client


def refused(report, call, code, text=None, status=400, **arguments):
    """The call must fail with AWS's code, and with `text` somewhere in AWS's words."""
    name = f"{call.__self__.meta.service_model.service_name}.{call.__name__}"
    shown = {key: value if len(repr(value)) < 80 else "…" for key, value in arguments.items()}
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]
        report.equal(found.get("Code"), code, f"{name}({shown}) error code [{found.get('Message')}]")
        report.equal(error.response["ResponseMetadata"]["HTTPStatusCode"], status, f"{name}({shown}) HTTP status of {code}")
        if text:
            report.check(text in (found.get("Message") or ""), f"{name}({shown}) says {found.get('Message')!r}, wanted {text!r} in it")
        return error.response
    report.check(False, f"{name}({shown}) was answered; AWS refuses it with {code}")
    return None


def pages(report, client, operation, key, **arguments):
    """All results, by botocore's own paginator and again by hand: the two must agree and nothing may come twice."""
    by_paginator = [item for page in client.get_paginator(operation).paginate(**arguments) for item in page.get(key, [])]
    identities = [json.dumps(item, default=str, sort_keys=True) for item in by_paginator]
    report.equal(len(set(identities)), len(identities), f"{operation} pages hold no item twice ({arguments})")
    return by_paginator


def always_has(report, value, members, what):
    """Members that the model calls optional and that AWS always sends."""
    missing = [member for member in members if member not in value]
    report.check(not missing, f"{what} lacks {', '.join(missing)}")


def eventually(report, question, message, seconds=30):
    """Polls until the answer is true; the world moves by itself."""
    deadline = time.monotonic() + seconds
    answer = question()
    while not answer and time.monotonic() < deadline:
        time.sleep(0.2)
        answer = question()
    report.check(answer, f"{message} (not within {seconds} s)")
    return answer
