//! The names that AWS's texts carry, and how each is read out of one: image, parameter, role, action, port, instance and so on.
//!
//! A table of patterns; of those of one name the first that is found wins. What is no name of something (request ids, accounts) is not here.

use regex::Regex;
use std::sync::LazyLock;

/// A pattern: the name it gives, the word before it when it is listed, the expression and what of it is the value.
struct Pattern {
    name: &'static str,
    label: &'static str,
    regex: Regex,
    value: &'static str,
}

/// Name, label, expression, value. Expressions ignore case. Sources: the formats of `tests/causes`.
const PATTERNS: &[(&str, &str, &str, &str)] = &[
    // Images: a reference as the runtime says it, then the registry's address of a manifest, then what ECR says.
    ("image", "image", r"resolve ref(?:erence)? '?([^\s,']+?)'?(?::\s|$|,)", "$1"),
    ("image", "image", r#"resolve ref(?:erence)? "([^\s"]+)""#, "$1"),
    ("image", "image", r#"https?://([^\s/"]+)/v2/([^\s"]+)/manifests/(sha256:[0-9a-f]{8,64})"#, "$1/$2@$3"),
    ("image", "image", r#"https?://([^\s/"]+)/v2/([^\s"]+)/manifests/([\w.-]+)"#, "$1/$2:$3"),
    ("image", "image", r"pull access denied for ([^\s,]+)", "$1"),
    ("image", "image", r#"manifest for ([^\s"]+) not found"#, "$1"),
    (
        "image",
        "image",
        r#"(?:pull|image|ref|reference|repository|manifest)(?: with name| uri| url)?:? ['"]?((?:[\w.-]+(?::\d+)?/)+[\w.-]+(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?)"#,
        "$1",
    ),
    (
        "image",
        "image",
        r"(\d{12}\.dkr\.ecr(?:-fips)?\.[\w-]+\.amazonaws\.com(?:\.cn)?/[\w./-]+(?::[\w][\w.-]*)?(?:@sha256:[0-9a-f]+)?)",
        "$1",
    ),
    (
        "image",
        "image",
        r"((?:docker\.io|public\.ecr\.aws|ghcr\.io|quay\.io|mcr\.microsoft\.com|gcr\.io|registry\.gitlab\.com)/[\w./-]+(?::[\w][\w.-]*)?(?:@sha256:[0-9a-f]+)?)",
        "$1",
    ),
    ("image", "image", r#"no such image: ([^\s"',]+)"#, "$1"),
    ("image", "image", r#"image ['"]([^\s'"]+)['"]"#, "$1"),
    ("tag", "tag", r"imageTag: ?'([^']+)'", "$1"),
    ("tag", "tag", r"(?:image )?tag:? ['\x22]([\w.-]+)['\x22]", "$1"),
    ("digest", "digest", r"imageDigest: ?'(sha256:[^']+)'", "$1"),
    ("repository", "repository", r"repository with (?:name|arn) ['\x22]?([\w./-]+)", "$1"),
    ("repository", "repository", r"arn:aws[\w-]*:ecr:[\w-]+:\d+:repository/([\w./-]*\w)", "$1"),
    ("repository", "repository", r"repository ['\x22]?([\w./:-]+\w)['\x22]? (?:not found|does not exist)", "$1"),
    ("platform", "platform", r"(?:platform[ :]+\(?['\x22]?|manifest for )((?:linux|windows|darwin)[/(][\w./()-]+)", "$1"),
    // What may not be done, by whom.
    ("action", "action", r"(?:not authorized to perform|to perform|perform):? ['\x22]?(\w[\w-]*:[*\w]+)", "$1"),
    (
        "action",
        "action",
        r"\b((?:ecr|ecs|ssm|secretsmanager|kms|logs|s3|sts|ec2|elasticloadbalancing|elasticfilesystem|servicediscovery|iam|fsx|ssmmessages|autoscaling):(?-i:[A-Z][A-Za-z]+))",
        "$1",
    ),
    ("call", "call", r"operation error ([\w ]+: \w+)", "$1"),
    ("call", "call", r"attempting to (\w+)", "$1"),
    ("role", "role", r"arn:aws[\w-]*:iam::\d+:role/(?:[\w+=,.@-]+/)*([\w+=,.@-]*\w)", "$1"),
    ("role", "role", r"assumed-role/([\w+=,.@-]+)/", "$1"),
    ("role", "role", r"assume (?:the )?(?:service.linked )?role ['\x22]?([\w+=,.@/-]*\w)", "$1"),
    // Secrets and parameters.
    ("secret", "secret", r"arn:aws[\w-]*:secretsmanager:[\w-]+:\d+:secret:([\w/+=.@-]+\w)", "$1"),
    ("stage", "version", r"staging label:? ([\w-]*\w)", "$1"),
    ("key", "JSON key", r"json key ['\x22]?([\w.-]*\w)", "$1"),
    ("parameter", "parameter", r"arn:aws[\w-]*:ssm:[\w-]+:\d+:parameter(/[\w./-]*\w)", "$1"),
    ("parameter", "parameter", r#"invalid (?:ssm )?parameters?:? *[\["']*([^\s,\]"']+(?:, ?[^\s,\]"']+)*)"#, "$1"),
    ("parameter", "parameter", r#"parameters?(?: with)?(?: names?)?:? ["']([^"']+)["']"#, "$1"),
    ("parameter", "parameter", r"parameters?(?: with)?(?: names?)?:? (/[\w./-]*\w)", "$1"),
    ("parameter", "parameter", r"parameternotfound:[^/]*(/[\w./-]*\w)", "$1"),
    (
        "secret",
        "secret",
        r"(?:secretid|secret(?: with name| named| id)?|from the service for|secret from asm):? ['\x22]?((?:[\w.-]+/)+[\w.@+=-]*\w)",
        "$1",
    ),
    // Logs and files.
    ("loggroup", "log group", r"arn:aws[\w-]*:logs:[\w-]+:\d+:log-group:([\w./#-]*[\w/])", "$1"),
    ("loggroup", "log group", r"log[ -]group(?: name)?:? ['\x22(]?(/[\w./#-]*\w|[\w.#-]*[/.\d#-][\w./#-]*\w)", "$1"),
    ("loggroup", "log group", r"log[ -]group ['\x22]([^'\x22]+)['\x22]", "$1"),
    ("logstream", "log stream", r"log-stream:([\w./#-]*\w)", "$1"),
    ("file", "file", r"arn:aws[\w-]*:s3:::([\w./-]*\w)", "$1"),
    ("file", "file", r"(?:env(?:ironment)? ?file|file) (?:with key |named )?['\x22]?([\w./-]+\.env)\b", "$1"),
    ("bucket", "bucket", r"bucket ['\x22]?([\w.-]*\w)", "$1"),
    // Volumes.
    ("filesystem", "file system", r"\b(fs-[0-9a-f]{8,17})\b", "$1"),
    ("accesspoint", "access point", r"\b(fsap-[0-9a-f]{8,17})\b", "$1"),
    ("volume", "volume", r"\b(vol-[0-9a-f]{8,17})\b", "$1"),
    ("snapshot", "snapshot", r"\b(snap-[0-9a-f]{8,17})\b", "$1"),
    ("volume", "volume", r"volume ['\x22]([^'\x22\s]+)['\x22]", "$1"),
    (
        "path",
        "path",
        r#"(?:error mounting|bind source path does not exist:|mkdir|stat|write|open|chdir to cwd|lstat|mount) \(?["']?((?:/|[a-z]:\\)[^\s"':,()]+)"#,
        "$1",
    ),
    // The network.
    ("subnet", "subnet", r"\b(subnet-[0-9a-f]{8,17})\b", "$1"),
    ("securitygroup", "security group", r"\b(sg-[0-9a-f]{8,17})\b", "$1"),
    ("eni", "interface", r"\b(eni-[0-9a-f]{8,17})\b", "$1"),
    ("host", "host", r"(?:lookup|resolve) ['\x22]?([\w-]+(?:\.[\w-]+)+)", "$1"),
    ("host", "host", r#"(?:post|get|head|put) ['"]?https?://([^\s/"':]+)"#, "$1"),
    ("host", "address", r"dial (?:tcp|udp) ([\w.-]+(?::\d+)?)", "$1"),
    // Programs and ports.
    ("command", "command", r#"exec:? \\?"([^"\\]+)"#, "$1"),
    ("command", "command", r"(?:exec|unable to find user|no such command) (/[\w./-]+)", "$1"),
    ("user", "user", r"unable to find user ([\w.:-]*\w)", "$1"),
    ("device", "device", r#"device driver "([^"]*)""#, "$1"),
    ("port", "port", r"\(port (\d+)\)", "$1"),
    ("port", "port", r"(?:bind for |listen \w+ |exposed port:? )[\d.:\[\]a-z]*?:?(\d{2,5})(?::| failed|/|\b)", "$1"),
    ("port", "port", r"(?:ports?|port mapping)(?: number)?:? ?[\['\x22(]*(\d{1,5})", "$1"),
    // Places.
    ("instance", "instance", r"\b(i-[0-9a-f]{8,17})\b", "$1"),
    ("instance", "instance", r"arn:aws[\w-]*:ecs:[\w-]+:\d+:container-instance/(?:[\w-]+/)?([0-9a-f-]{8,36})", "$1"),
    ("instance", "instance", r"container[- ]instance \(?([0-9a-f][0-9a-f-]{7,35})\)?", "$1"),
    ("instance", "instance", r"\((?:container-)?instance ([\w-]+)\)", "$1"),
    ("group", "target group", r"targetgroup/([\w-]+)/", "$1"),
    ("group", "target group", r"\(target-group ([^\s)]+)\)", "$1"),
    ("group", "target group", r"target-group ([\w-]+)", "$1"),
    ("function", "function", r":function:([\w-]+)", "$1"),
    ("balancer", "load balancer", r"\((?:elb|load-balancer) ([^\s)]+)\)", "$1"),
    ("attribute", "attribute", r"((?:com\.amazonaws\.)?ecs\.capability\.[\w.-]*\w)", "$1"),
    ("attribute", "attribute", r"attribute ['\x22]?([\w-]+\.[\w.-]*\w)", "$1"),
    ("attribute", "constraint", r"(?:constraint|expression|member ?of)[ (]*['\x22(]*([\w:.-]+ ?(?:==|!=|=~|in|not_in) ?[\w.\[\]-]+)", "$1"),
    ("provider", "capacity provider", r"capacity[ -]provider:? ['\x22(]?([\w-]*[A-Z_\d-][\w-]*)", "$1"),
    ("task", "task", r"\(task ([0-9a-f-]{8,36})\)", "$1"),
    ("container", "container", r"container (?:named )?['\x22\[]([\w-]+)['\x22\]]", "$1"),
    ("backto", "deployment", r"back to \(?(?:deployment ?(?:id)? )?(ecs-svc/\d+)", "$1"),
    ("deployment", "deployment", r"(ecs-svc/\d+)", "$1"),
    ("service", "service", r"\(service ([\w-]+)", "$1"),
    ("namespace", "namespace", r"namespace ['\x22]?([\w./:-]*\w)", "$1"),
    ("alarm", "alarm", r"alarms?(?: named| detected| name)?:? ?[\['\x22(]+([^\]'\x22)]+)", "$1"),
    // Figures.
    ("codes", "code", r"codes?:? \[(\d{3}(?:, ?\d{3})*)\]", "$1"),
    ("codes", "status", r"(?:status(?: code)?:?|http) (\d{3})\b", "$1"),
    ("why", "why", r"due to (?:\(reason )?([^)]*[^).\s])", "$1"),
    ("protected", "protected", r"(\d+ tasks? under protection)", "$1"),
    ("tasks", "tasks", r"(?:started|stopped|on|replaced) (\d+) (?:running |pending )?tasks?", "$1"),
    ("targets", "targets", r"registered (\d+) targets?", "$1"),
    ("quota", "limit", r"(?:limit|quota|maximum)(?: of| is|:)? (\d+)", "$1"),
    ("timeout", "after", r"(?:timed out after waiting|timeout of|within) (\d+\w*)", "$1"),
];

static COMPILED: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let compile = |(name, label, regex, value): &(&'static str, &'static str, &str, &'static str)| Pattern {
        name,
        label,
        regex: Regex::new(&format!("(?i){}", ascii(regex))).expect("every pattern of the table is compiled by the tests"),
        value,
    };
    PATTERNS.iter().map(compile).collect()
});

/// The expression with classes of ASCII alone: AWS's names hold nothing else, and Unicode's classes take a tenth of a second to compile.
fn ascii(regex: &str) -> String {
    let (mut out, mut class, mut chars) = (String::with_capacity(regex.len() * 2), false, regex.chars());
    while let Some(c) = chars.next() {
        match c {
            '[' => class = true,
            ']' => class = false,
            _ => {}
        }
        let replaced = match (c, class) {
            ('\\', _) => match (chars.next(), class) {
                (Some('w'), true) => "a-z0-9_",
                (Some('w'), false) => "[a-z0-9_]",
                (Some('d'), true) => "0-9",
                (Some('d'), false) => "[0-9]",
                (Some('b'), _) => r"(?-u:\b)",
                (other, _) => {
                    out.push('\\');
                    out.extend(other);
                    continue;
                }
            },
            (c, _) => {
                out.push(c);
                continue;
            }
        };
        out.push_str(replaced);
    }
    out
}

/// How many names that a sentence leaves out are listed behind it.
const LISTED: usize = 5;

/// Names that are in nearly every text and told elsewhere, so never listed.
const SILENT: &[&str] = &["detail", "protected", "why", "service", "task", "deployment", "backto", "tasks", "targets"];

/// Beginnings that AWS puts before what went wrong, peeled off one after the other.
const PREFIXES: &[&str] = &[
    r"\w+(?:Error|Exception)\b:?",
    r"(?:TaskFailedToStart|EssentialContainerExited|ServiceSchedulerInitiated):",
    r"(?:\(service [^)]*\)|service \S+) (?:was unable to place a task\. Reason:|failed to launch a task with \(error)",
    r"(?:\(service [^)]*\)|service [\w-]+ )(?: ?\((?:deployment|task) [^)]*\))*",
    r"(?:docker: )?Error response from daemon:",
    r"API error(?: \(\d+\))?:",
    r"unable to pull secrets or registry auth:",
    r"execution resource retrieval failed:",
    r"(?:\w+ ){0,3}(?:has|have) been retried \d+ times?(?:\(s\))?:",
    r"failed to invoke EFS utils commands to set up EFS volumes:",
    r"failed to validate logger args:",
    r"failed to create task for container:",
    r"failed to create new container runtime task:",
    r"failed to create shim task:",
    r"OCI runtime create failed:",
    r"runc create failed:",
    r"(?:container|process)_linux\.go:\d+:",
    r"(?:starting container process|container init) caused:?",
    r"unable to start container process:",
    r"error during container init:",
    r"stderr:",
];

static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
    let any = PREFIXES.iter().map(|prefix| ascii(prefix)).collect::<Vec<_>>().join("|");
    Regex::new(&format!("^(?i:{any})\\s*")).expect("the prefixes are compiled by the tests")
});

/// Longest quotation of a text, in characters, and how many of them are its beginning: what went wrong last stands at the end.
const QUOTED: (usize, usize) = (240, 100);

/// What a text says behind its usual beginnings, cut in the middle where it gets long.
fn detail(text: &str) -> String {
    let mut rest = text.trim();
    while let Some(found) = PREFIX.find(rest).filter(|found| found.end() > 0 && found.end() < rest.len()) {
        rest = rest[found.end()..].trim_start();
    }
    let rest = rest.split_once(" For more information").map_or(rest, |(told, _)| told).trim_end_matches(['.', ' ']);
    let (longest, head) = QUOTED;
    let chars: Vec<char> = rest.chars().collect();
    if chars.len() <= longest {
        return rest.to_owned();
    }
    let tail: String = chars[chars.len() - (longest - head)..].iter().collect();
    let head: String = chars[..head].iter().collect();
    let head = head.rsplit_once(' ').map_or(&*head, |(whole, _)| whole);
    let tail = tail.split_once(' ').map_or(&*tail, |(_, whole)| whole);
    format!("{head} … {tail}")
}

/// The names of one text.
#[derive(Default)]
pub(super) struct Names(Vec<(&'static str, &'static str, String)>);

impl Names {
    /// Reads them.
    pub fn of(text: &str) -> Names {
        let mut found: Vec<(&'static str, &'static str, String)> = Vec::new();
        for pattern in COMPILED.iter() {
            if found.iter().any(|(name, ..)| *name == pattern.name) {
                continue;
            }
            if let Some(captures) = pattern.regex.captures(text) {
                let mut value = String::new();
                captures.expand(pattern.value, &mut value);
                let value = value.trim_end_matches(['.', ',', ':', ';', '\'', '"']);
                if !value.is_empty() {
                    found.push((pattern.name, pattern.label, value.to_owned()));
                }
            }
        }
        let detail = detail(text);
        if !detail.is_empty() {
            found.push(("detail", "", detail));
        }
        Names(found)
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, ..)| *own == name).map(|(.., value)| value.as_str())
    }

    /// Those that a sentence does not hold yet, each after its label.
    pub fn unmentioned(&self, says: &str) -> Vec<String> {
        let mut told = says.to_owned();
        let mut left = Vec::new();
        for (name, label, value) in &self.0 {
            if left.len() < LISTED && !SILENT.contains(name) && !told.contains(value.as_str()) {
                told.push_str(value);
                left.push(format!("{label} {value}"));
            }
        }
        left
    }
}

/// Whether there is such a name.
#[cfg(test)]
pub(super) fn known(name: &str) -> bool {
    name == "detail" || PATTERNS.iter().any(|(own, ..)| *own == name)
}
