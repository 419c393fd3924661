//! A text as the fragments of rules are compared with it: one line, lower case, straight quotes, and without the names that people choose.
//!
//! A service, an image, a secret or a command may be called by any of the words that the rules look for, so what stands where AWS puts a
//! name is taken out, and what AWS says around it stays. Knows no rule.

use super::one_line;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// Where names stand, each with what stays in front of the name as the group `a` and behind it as `b`. ASCII alone, for speed.
const NAMES: &[&str] = &[
    // (service cart), (target-group cart-tg), (service cart, taskSet …)
    r"(?P<a1>\((?:service|target-group) )[^),]*",
    // arn:aws:iam::111122223333:role/…: service and type stay
    r"(?P<a2>arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]*:(?:[a-z-]+[:/])?)[^ '\x22,()\[\]]*",
    // https://registry/v2/NAME/manifests/TAG
    r"(?P<a3>https?://[^/ '\x22]+/v2/)[^ '\x22]+?(?P<b3>/(?:manifests|blobs)/)[^ '\x22:]*",
    // registry.example/team/name:tag
    r"(?P<a4>(?-u:\b)[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?/)[a-z0-9._/-]*[a-z0-9](?::[a-z0-9._-]*[a-z0-9_])?",
    // team/name:tag
    r"(?P<a5>(?:^|[ '\x22]))[a-z0-9_-]+(?:/[a-z0-9._-]+)+:[a-z0-9._-]*[a-z0-9_]",
    // exec: "command"
    r"(?P<a6>exec:? \\*[\x22'])[^\x22'\\]*",
    // /var/lib/ecs/volumes/NAME
    r"(?P<a7>(?:^|[ '\x22(=\[])/var/l(?:ib|og)/ecs/(?:volumes|ecs-[a-z]+\.log)?)[^ '\x22:,()\[\]]*",
    // /a/path, C:\a\path
    r"(?P<a8>(?:^|[ '\x22(=\[])(?:/|[a-z]:\\))[a-z0-9._][^ '\x22:,()\[\]]*",
];

static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&NAMES.join("|")).expect("the expression is constant and compiled by every test"));

/// Words behind "service" that are no name of one.
const OF_AWS: &[&str] =
    &["connect", "deployment", "discovery", "linked", "quota", "role", "scheduler", "task", "is", "was", "has", "unable"];

/// The text as it is compared.
pub(super) fn plain(text: &str) -> String {
    let text = one_line(text);
    let text = spaced(&text).to_lowercase();
    let text = NAME.replace_all(&text, |found: &Captures| {
        let kept = |part: &str| (1..=NAMES.len()).find_map(|n| found.name(&format!("{part}{n}"))).map_or("", |kept| kept.as_str());
        // The socket of a plugin is no registry.
        if kept("a").ends_with(".sock/") {
            return found[0].to_owned();
        }
        format!("{}{}", kept("a"), kept("b"))
    });
    // Without brackets the name is the second word of the sentence.
    match text.strip_prefix("service ").and_then(|rest| rest.split_once(' ')) {
        Some((name, rest)) if !OF_AWS.contains(&name.trim_end_matches(':')) => format!("service {rest}"),
        _ => text.into_owned(),
    }
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
            ("manifest for acme/no-space:left not found", "manifest for  not found"),
            ("exec: \"oom-killer\": executable file not found in $PATH", "exec: \"\": executable file not found in $path"),
            ("invalid parameters: /shop/timeout", "invalid parameters: /"),
            ("SERVICE_TASK_START_IMPAIRED", "service task start impaired"),
            ("connect: i/o timeout", "connect: i/o timeout"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }
}
