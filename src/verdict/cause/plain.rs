//! A text as the fragments of rules are compared with it: one line, lower case, straight quotes, and without the names that people choose.
//!
//! A service, an image, a secret or a command may be called by any of the words that the rules look for, so what stands where AWS puts a
//! name is taken out, and what AWS says around it stays. Knows no rule.

use super::one_line;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// Where names stand. What is in the groups stays, in front of the name and behind it. ASCII alone, for speed.
const NAMES: &[&str] = &[
    // (service cart), (target-group cart-tg), (service cart, taskSet …), service (cart)
    r"(\((?:service|target-group|elb|load-balancer|cloudwatch alarm) |service \()[^),]*",
    // arn:aws:iam::111122223333:role/…: service and type stay
    r"(arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]*:(?:[a-z-]+[:/])?)[^ '\x22,()\[\]]*",
    // name has started 2 tasks in …, without a word of service
    r"^[a-z0-9_-]+( has (?:started|stopped) [0-9]+ )",
    // log options of container name
    r"((?:specified|options) of container )[^ ,]+",
    // environmentFile bucket/key, which is no ARN
    r"((?:environmentfile|invalid s3 arn:) )[^ ,]+",
    // arn:aws:s3::bucket, which is none
    r"(arn:aws[a-z-]*:s3:+)[a-z0-9._/-]+",
    // https://registry/v2/NAME/manifests/TAG
    r"(https?://[^/ '\x22]+/v2/)[^ '\x22]+?(/(?:manifests|blobs)/)[^ '\x22:]*",
    // registry.example/team/name:tag
    r"((?-u:\b)[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?/)[a-z0-9._/-]*[a-z0-9](?::[a-z0-9._-]*[a-z0-9_])?",
    // ?scope=repository%3Ateam%2Fname
    r"(\?[a-z]+=)[^ '\x22:]*",
    // repository with name 'team/name', image 'name:tag'; a registry in front stays
    r"((?:repository|image|reference|manifest)(?: with (?:name|id))?:? ?['\x22])[a-z0-9_-]+(?:/[a-z0-9._-]+)*(?::[a-z0-9._-]+)?(['\x22])",
    // volume 'name', container [name], name 'name'
    r"((?:container|volume|bucket|secret|alarm|role|json key|provider|log group|named?)(?: with (?:name|id))?:? ?['\x22\[])[^'\x22\]]+",
    // pull access denied for name, No such volume: name
    r"((?:pull access denied for|no such (?:image|volume|container):|volume referenced:|service account|contain json key|daemon: create|unable to find user|createcomputesystem) )[a-z0-9_$-]+(?:[/:.][a-z0-9._-]+)*",
    // image name:tag
    r"((?-u:\b)image )[a-z0-9._-]+:[a-z0-9._-]*[a-z0-9_]",
    // Alarm Name: name, alarms [name]
    r"(alarm name: |alarms? ?\[)[^ \]]+",
    // monitor alarm name in state alarm triggered policy name
    r"(monitor alarm )[^ ]+( in state [a-z]+ triggered policy )[^ ]+",
    // team/name:tag
    r"((?:^|[ '\x22]))[a-z0-9_-]+(?:/[a-z0-9._-]+)+:[a-z0-9._-]*[a-z0-9_]",
    // exec: "command"
    r"(exec:? \\*[\x22'])[^\x22'\\]*",
    // What has a hyphen or a digit behind these is a name; the rest of the sentence may follow them too.
    r"(capacity[ -]provider[: ]+['\x22(]?)[a-z0-9_]*[0-9-][a-z0-9_-]*",
    r"(target[ -]group )[a-z0-9]*-[a-z0-9-]+",
    r"(on resource: )[a-z0-9_]+-[a-z0-9_/.-]+",
    // task definition name:7
    r"(task definition )[a-z0-9_-]+:[0-9]+",
    // stat ./a/path
    r"((?:stat|exec|cannot pull) ['\x22]?)(?:\./[^ :'\x22]+|[a-z0-9_-]+:[a-z0-9._-]*[a-z0-9_])",
    // asm fetching secret from the service for name:
    r"(from the service for (?:arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]*:(?:[a-z-]+[:/])?)?)[^ '\x22,()\[\]:]*",
    // secret name-Ab12Cd
    r"(secret )[a-z0-9_/+=.@-]+-[a-z0-9]{6}(?-u:\b)",
    // key name from bucket name
    r"((?:key|config|file) )[^ ]+( from bucket )[^ ,:]+",
    // ecs-FAMILY-REVISION-CONTAINER-…, as ECS names things of docker
    r"((?-u:\b)ecs-)[a-z0-9_-]+-[0-9]+-[a-z0-9_-]+",
    // /var/lib/ecs/volumes/NAME
    r"((?:^|[ '\x22(=\[])/var/l(?:ib|og)/ecs/(?:volumes|ecs-[a-z]+\.log)?)[^ '\x22:,()\[\]]*",
    // /a/path, C:\a\path, /one,/two, 127.0.0.1:/a/path, host.example:/a/path
    r"((?:(?:^|[ ,'\x22(=\[])(?:/|[a-z]:\\)|[0-9a-z]:/))[a-z0-9._][^ '\x22:,()\[\]]*",
];

static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&NAMES.join("|")).expect("the expression is constant and compiled by every test"));

/// Words behind "service" that are no name of one.
const OF_AWS: &[&str] =
    &["connect", "deployment", "discovery", "linked", "quota", "role", "scheduler", "task", "is", "was", "has", "unable"];

/// The text as it is compared.
pub(super) fn plain(text: &str) -> String {
    let text = one_line(text);
    let text = spaced(stopped(&text)).to_lowercase();
    let text = NAME.replace_all(&text, |found: &Captures| {
        let kept: String = found.iter().skip(1).flatten().map(|part| part.as_str()).collect();
        // The socket of a plugin is no registry.
        if kept.ends_with(".sock/") { found[0].to_owned() } else { kept }
    });
    // Without brackets the name is the second word of the sentence.
    match text.strip_prefix("service ").and_then(|rest| rest.split_once(' ')) {
        Some((name, rest)) if !OF_AWS.contains(&name.trim_end_matches(':')) => format!("service {rest}"),
        _ => text.into_owned(),
    }
}

/// What stands in the brackets of "STOPPED (…)", as consoles show a task's status and reason in one.
fn stopped(text: &str) -> &str {
    text.strip_prefix("STOPPED (").map_or(text, |reason| reason.strip_suffix(')').unwrap_or(reason))
}

/// With straight quotes, and with blanks in codes such as `SERVICE_STEADY_STATE`.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let code = c == '_' && before.is_ascii_uppercase() && chars.peek().is_some_and(char::is_ascii_uppercase);
        out.push(match c {
            '\u{2018}' | '\u{2019}' | '`' => '\'',
            '\u{201c}' | '\u{201d}' => '"',
            _ if code => ' ',
            c => c,
        });
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_go_and_what_aws_says_around_them_stays() {
        for (text, expected) in [
            ("(service oom-killer) has reached a steady state.", "(service ) has reached a steady state."),
            ("service spot-interrupt was unable to", "service was unable to"),
            ("service connect container not found in task", "service connect container not found in task"),
            (
                "perform: ssm:GetParameters on resource: arn:aws:ssm:eu-west-2:1:parameter/no/such because",
                "perform: ssm:getparameters on resource: arn:aws:ssm:eu-west-2:1:parameter/ because",
            ),
            (
                "failed to resolve ref docker.io/acme/timeout:oom: docker.io/acme/timeout:oom: not found",
                "failed to resolve ref docker.io/: docker.io/: not found",
            ),
            (
                "Head \"https://registry-1.docker.io/v2/acme/denied/manifests/forbidden\": i/o timeout",
                "head \"https://registry-1.docker.io/v2//manifests/\": i/o timeout",
            ),
            ("repository with name 'acme/toomanyrequests' does not exist", "repository with name '' does not exist"),
            ("pull access denied for acme/denied, repository", "pull access denied for , repository"),
            ("volume 'oom' does not exist: Error: No such volume: oom", "volume '' does not exist: error: no such volume: "),
            ("service (oom-killer) is unable to", "service is unable to"),
            ("for capacity provider spot-interrupt. Unsupported", "for capacity provider . unsupported"),
            ("with key oom/quota.env from bucket rate-exceeded, error", "with key  from bucket , error"),
            ("create endpoint ecs-eni-9-volume on network nat", "create endpoint ecs- on network nat"),
            ("while mounting 127.0.0.1:/timeout'", "while mounting 127.0.0.1:/'"),
            ("mounting fs-0.efs.eu-west-3.amazonaws.com:/opt/splunk failed", "mounting fs-0.efs.eu-west-3.amazonaws.com:/ failed"),
            ("secret from the service for volume/oom: RequestError", "secret from the service for : requesterror"),
            ("have been stopped. Alarm Name: oom-killer", "have been stopped. alarm name: "),
            ("Error: image throttled:oom not found", "error: image  not found"),
            ("manifest for acme/no-space:left not found", "manifest for  not found"),
            ("exec: \"oom-killer\": executable file not found in $PATH", "exec: \"\": executable file not found in $path"),
            ("invalid parameters: /shop/timeout", "invalid parameters: /"),
            ("SERVICE_TASK_START_IMPAIRED", "service task start impaired"),
            ("invalid parameters: /shop/timeout,/shop/denied", "invalid parameters: /,/"),
            ("oom-killer has started 2 tasks in eu-west-1a to", " has started 2 tasks in eu-west-1a to"),
            ("monitor alarm oom-AlarmLow in state ALARM triggered policy oom", "monitor alarm  in state alarm triggered policy "),
            ("specified in environmentFile oom/prod.env, error", "specified in environmentfile , error"),
            ("STOPPED (Essential container in task exited)", "essential container in task exited"),
            ("connect: i/o timeout", "connect: i/o timeout"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }
}
