//! Where names stand in AWS's texts: one row for each kind of name, with the ways in which texts write it.
//!
//! Knows the shapes alone; what is read with them, and how, is in `names`.

/// A kind of name.
pub(super) struct Kind {
    pub name: &'static str,
    /// The word before it when it is listed behind a sentence.
    pub label: &'static str,
    /// Expressions, the first that is found counts. The name is the first group; of an address of a manifest the image is put together
    /// from three, of an address of a layer from two. They ignore case. In them stand `<q>` for a quote or none, `<tag>` for a tag and a
    /// digest or none, `<id fs>` for an id of such a prefix and `<arn ssm>` for the beginning of an ARN up to the account.
    pub ways: &'static [&'static str],
}

const fn named(name: &'static str, ways: &'static [&'static str]) -> Kind {
    Kind { name, label: name, ways }
}

const fn labelled(name: &'static str, label: &'static str, ways: &'static [&'static str]) -> Kind {
    Kind { name, label, ways }
}

/// All kinds. Sources: the formats of `tests/causes`.
pub(super) const KINDS: &[Kind] = &[
    // Images: a reference as the runtime says it, then the registry's address of a manifest, then what ECR says.
    named(
        "image",
        &[
            r#"resolve ref(?:erence)? '?([^\s,'"]+?)'?(?::\s|$|,)"#,
            r#"resolve ref(?:erence)? "([^\s"]+)""#,
            r#"https?://([^\s/"]+)/v2/([^\s"]+)/manifests/(sha256:[0-9a-f]{8,64}|[\w.-]+)"#,
            r#"https?://([^\s/"]+)/v2/([^\s"]+)/blobs/"#,
            r"pull access denied for ([^\s,]+)",
            r#"manifest for ([^\s"]+) not found"#,
            r"(?:pull|image|ref|reference|repository|manifest)(?: with name| uri| url)?:? <q>((?:[\w.-]+(?::\d+)?/)+[\w.-]+(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?)",
            r"(\d{12}\.dkr\.ecr(?:-fips)?\.[\w-]+\.amazonaws\.com(?:\.cn)?/[\w./-]+<tag>)",
            r"((?:docker\.io|public\.ecr\.aws|ghcr\.io|quay\.io|mcr\.microsoft\.com|gcr\.io|registry\.gitlab\.com)/[\w./-]+<tag>)",
            r#"no such image: ([^\s"',]+)"#,
            r#"image ['"]([^\s'"]+)['"]"#,
        ],
    ),
    named("tag", &[r"imageTag: ?'([^']+)'", r"(?:image )?tag:? ['\x22]([\w.-]+)['\x22]"]),
    named("digest", &[r"imageDigest: ?'(sha256:[^']+)'"]),
    named(
        "repository",
        &[
            r"repository with (?:name|arn) <q>([\w./-]+)",
            r"<arn ecr>:repository/([\w./-]*\w)",
            r"repository <q>([\w./:-]+\w)<q> (?:not found|does not exist)",
        ],
    ),
    named("platform", &[r"(?:platform[ :]+\(?<q>|manifest for )((?:linux|windows|darwin)[/(][\w./()-]+)"]),
    // What may not be done, by whom.
    named(
        "action",
        &[
            r"(?:not authorized to perform|to perform|perform):? \(?<q>(\w[\w-]*:[*\w]+)",
            r"\b((?:ecr|ecs|ssm|secretsmanager|kms|logs|s3|sts|ec2|elasticloadbalancing|elasticfilesystem|servicediscovery|iam|fsx|ssmmessages|autoscaling):(?-i:[A-Z][A-Za-z]+))",
        ],
    ),
    named("call", &[r"operation error ([\w ]+: \w+)", r"attempting to (\w+)"]),
    named(
        "role",
        &[
            // Who may not pass a role, before the role that is passed.
            r"assumed-role/([\w+=,.@-]+)/\S* is not authorized to perform: iam:PassRole",
            r"<arn iam>:role/(?:[\w+=,.@-]+/)*([\w+=,.@-]*\w)",
            r"assumed-role/([\w+=,.@-]+)/",
            r"assume (?:the )?(?:service.linked )?role <q>([\w+=,.@/-]*\w)",
        ],
    ),
    labelled("passed", "role to pass", &[r"iam:PassRole on resource: <arn iam>:role/(?:[\w+=,.@-]+/)*([\w+=,.@-]*\w)"]),
    labelled("deny", "with", &[r"with an? (explicit deny in an? [\w-]+(?: [\w-]+){0,3}? ?(?:policy|boundary))"]),
    labelled(
        "deny",
        "because",
        &[
            r"because (no (?:permissions boundary|session policy|(?:service|resource) control policy|vpc endpoint policy|resource-based policy) allows(?: the [\w:]+ action)?)",
        ],
    ),
    labelled("login", "because", &[r"((?:incorrect|invalid) username or password)"]),
    // Secrets and parameters.
    named(
        "secret",
        &[
            r"<arn secretsmanager>:secret:([\w/+=.@!-]+\w)",
            r"(?:secretid|secret(?: with name| named| id)?|from the service for|secret from asm):? <q>((?:[\w.-]+/)+[\w.@+=-]*\w)",
        ],
    ),
    labelled("ending", "because", &[r"because (it was (?:marked for deletion|deleted))"]),
    labelled("stage", "version", &[r"staging label:? ([\w-]*\w)"]),
    labelled("key", "JSON key", &[r"json key <q>([\w.-]*\w)"]),
    named(
        "parameter",
        &[
            r"<arn ssm>:parameter(/[\w./-]*\w)",
            r#"invalid (?:ssm )?parameters?:? *[\["']*([^\s,\]"']+(?:, ?[^\s,\]"']+)*)"#,
            r#"parameters?(?: with)?(?: names?)?:? ["']([^"']+)["']"#,
            r"parameters?(?: with)?(?: names?)?:? (/[\w./-]*\w)",
            r"parameternotfound:[^/]*(/[\w./-]*\w)",
        ],
    ),
    // Logs and files.
    labelled(
        "loggroup",
        "log group",
        &[
            r"<arn logs>:log-group:([\w./#-]*[\w/])",
            r"log[ -]group(?: name)?:? ['\x22(]?(/[\w./#-]*\w|[\w.#-]*[/.\d#-][\w./#-]*\w)",
            r"log[ -]group ['\x22]([^'\x22]+)['\x22]",
        ],
    ),
    labelled("logstream", "log stream", &[r"log-stream:([\w./#-]*\w)"]),
    named(
        "file",
        &[
            r"<arn s3>:?([\w./-]*\w)",
            r"config ([\w./-]+\w) from bucket",
            r"(?:env(?:ironment)? ?file|file) (?:with key |named )?<q>([\w./-]+\.env)\b",
        ],
    ),
    named(
        "bucket",
        &[r"bucket[ :]+['\x22]([\w.-]*\w)", r"(?:from|in|of) (?:the |s3 )*bucket ([\w.-]*\w)", r"bucket ([\w-]*[\d.-][\w.-]*\w)"],
    ),
    // Volumes.
    labelled("filesystem", "file system", &[r"<id fs>"]),
    labelled("accesspoint", "access point", &[r"<id fsap>"]),
    named("volume", &[r"<id vol>", r"volume ['\x22]([^'\x22\s]+)['\x22]"]),
    named("snapshot", &[r"<id snap>"]),
    named(
        "path",
        &[
            r#"(?:error mounting|bind source path does not exist:|mkdir|stat|write|open|chdir to cwd|lstat|mount) \(?["']?((?:/|[a-z]:\\)[^\s"':,()]+)"#,
        ],
    ),
    // The network.
    named("subnet", &[r"<id subnet>"]),
    labelled("securitygroup", "security group", &[r"<id sg>"]),
    labelled("eni", "interface", &[r"<id eni>"]),
    labelled("proxy", "proxy", &[r"proxyconnect \w+: dial \w+:? (?:lookup )?([\w.-]+(?::\d+)?)"]),
    named(
        "host",
        &[
            r"(?:lookup|resolve) <q>([\w-]+(?:\.[\w-]+)+)",
            r#"(?:post|get|head|put) <q>https?://([^\s/"':]+)"#,
            r"(?:connection|connect to|endpoint)\W+(?:https?://)?([\w-]+(?:\.[\w-]+)+(?::\d+)?)",
        ],
    ),
    labelled("host", "address", &[r"dial (?:tcp|udp) ([\w.-]+(?::\d+)?)"]),
    // Programs and ports.
    named("command", &[r#"exec:? \\?"([^"\\]+)"#, r"(?:exec|unable to find user|no such command) (/[\w./-]+)"]),
    named("user", &[r"unable to find user ([\w.:-]*\w)"]),
    named("device", &[r#"device driver "([^"]*)""#]),
    named(
        "port",
        &[
            r"\(port (\d+)\)",
            r"(?:bind for |listen \w+ |exposed port:? )[\d.:\[\]a-z]*?:?(\d{2,5})(?::| failed|/|\b)",
            r"(?:ports?|port mapping)(?: number)?:? ?[\['\x22(]*(\d{1,5})",
        ],
    ),
    // Places.
    named(
        "instance",
        &[
            r"<id i>",
            r"<arn ecs>:container-instance/(?:[\w-]+/)?([0-9a-f-]{8,36})",
            r"container[- ]instance \(?([0-9a-f][0-9a-f-]{7,35})\)?",
            // As some logs mask it.
            r"container[- ]instance \(?(\*{2,}[0-9a-f-]{4,35})",
            r"\((?:container-)?instance ([\w-]+)\)",
        ],
    ),
    labelled("group", "target group", &[r"targetgroup/([\w-]+)/", r"\(target-group ([^\s)]+)\)", r"target-group ([\w-]+)"]),
    named("function", &[r":function:([\w-]+)"]),
    labelled("balancer", "load balancer", &[r"\((?:elb|load-balancer) ([^\s)]+)\)"]),
    named("attribute", &[r"((?:com\.amazonaws\.)?ecs\.capability\.[\w.-]*\w)", r"attribute <q>([\w-]+\.[\w.-]*\w)"]),
    labelled(
        "attribute",
        "constraint",
        &[
            r"(?:constraint|expression|member ?of)[ (]*['\x22(]*([\w:.-]+ ?(?:==|!=|=~|in|not_in) ?[\w.\[\]-]+)",
            r"((?:memberof|distinctinstance) (?:placement )?constraint)",
        ],
    ),
    labelled("provider", "capacity provider", &[r"capacity[ -]provider:? ['\x22(]?([\w-]*[A-Z_\d-][\w-]*)"]),
    labelled("type", "instance type", &[r"instance type \(?([a-z0-9-]+\.[a-z0-9-]+)"]),
    labelled("zone", "zone", &[r"zone \(([a-z]{2}(?:-[a-z]+)+-\d[a-z])\)", r"tasks? in ([a-z]{2}(?:-[a-z]+)+-\d[a-z])\b"]),
    named("task", &[r"\(task ([0-9a-f-]{8,36})\)"]),
    named("container", &[r"container (?:named )?['\x22\[]([\w-]+)['\x22\]]"]),
    labelled("backto", "deployment", &[r"back to \(?(?:deployment ?(?:id)? )?(ecs-svc/\d+)"]),
    named("deployment", &[r"(ecs-svc/\d+)"]),
    named("service", &[r"\(service ([\w-]+)"]),
    named("namespace", &[r"\bnamespace <q>([\w./:-]*\w)"]),
    named(
        "alarm",
        &[
            r"alarm name:? ?['\x22]?([\w./-]*\w)",
            r"alarms?(?:\(s\))?(?: in alarm state| named| detected| name)?:? ?[\['\x22(]+(?:cloudwatch alarms? )?([^\]'\x22)]+)",
        ],
    ),
    // Figures and codes.
    labelled("code", "error", &[r"unexpected ec2 error [^:]*: (\w+)", r"for capacity provider [\w-]+\. ((?-i:[A-Z])[\w.]+):"]),
    labelled("codes", "code", &[r"codes?:? \[(\d{3}(?:, ?\d{3})*)\]"]),
    // An SDK says 400 of nearly everything.
    labelled("codes", "status", &[r"(?:status ?(?:code)?:?|http) ([1235]\d\d|4[1-9]\d|40[1-9])\b"]),
    named("answer", &[r"\b(5\d\d (?:bad gateway|service unavailable|gateway time-?out|internal server error))"]),
    named("desired", &[r"desired count to (\d+)", r"computeddesiredcount for taskset \S+ to (\d+)"]),
    named("spread", &[r"az balanced with (\d+ [^.]+)"]),
    named("why", &[r"due to (?:\(reason )?([^)]*[^).\s])"]),
    named("protected", &[r"(\d+ tasks? under protection)"]),
    named("tasks", &[r"(?:started|stopped|on|replaced) (\d+) (?:running |pending )?tasks?"]),
    named("targets", &[r"registered (\d+) targets?"]),
    labelled("quota", "limit", &[r"(?:limit|quota|maximum)(?: of| is|:)? (\d+)"]),
    labelled("timeout", "after", &[r"(?:timed out after waiting|timeout of|within) (\d+\w*)"]),
];

/// An expression with what its marks stand for.
pub(super) fn spelled(way: &str) -> String {
    let mut out = String::with_capacity(way.len() * 2);
    let mut rest = way;
    while let Some((before, (mark, after))) = rest.split_once('<').and_then(|(before, rest)| Some((before, rest.split_once('>')?))) {
        out.push_str(before);
        let (begins, named, ends) = match mark.split_once(' ') {
            None if mark == "q" => (r#"['"]?"#, "", ""),
            None => (r"(?::\w[\w.-]*)?(?:@sha256:[0-9a-f]+)?", "", ""),
            Some(("id", prefix)) => (r"\b(", prefix, r"-[0-9a-f]{8,17})\b"),
            Some((_, service)) => (r"arn:aws[\w-]*:", service, r":[\w-]*:\d*"),
        };
        out.extend([begins, named, ends]);
        rest = after;
    }
    out + rest
}
