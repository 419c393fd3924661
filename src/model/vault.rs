//! Parameters and secrets that containers read at their start, as far as they are there: never what is in them.

use super::Str;

/// What is known of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is there.
    There,
    /// It is not, and why: no task that reads it could start.
    Gone(Str),
    /// Nobody said, and why: the action that the role may not do, or what went wrong.
    Untold(Str),
}

/// Where a `valueFrom` points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept<'a> {
    /// A parameter of Parameter Store: name or ARN, and its region where the ARN tells it.
    Parameter(&'a str, Option<&'a str>),
    /// A secret of Secrets Manager by its ARN, without key, stage and version, and its region.
    Secret(&'a str, &'a str),
}

impl<'a> Kept<'a> {
    /// Reads a `valueFrom` of a task definition: a name is always a parameter's.
    #[must_use]
    pub fn parse(from: &'a str) -> Kept<'a> {
        let region = from.split(':').nth(3).filter(|_| from.starts_with("arn:"));
        if let (true, Some(region)) = (from.contains(":secretsmanager:"), region) {
            // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, then what of it is read.
            let end = from.match_indices(':').nth(6).map_or(from.len(), |(at, _)| at);
            return Kept::Secret(&from[..end], region);
        }
        Kept::Parameter(from, region)
    }

    /// The name that people know it by: without the six characters of Secrets Manager's own.
    #[must_use]
    pub fn name(self) -> &'a str {
        match self {
            Kept::Parameter(from, _) => from.split_once(":parameter").map_or(from, |(_, name)| name),
            Kept::Secret(arn, _) => {
                let name = arn.rsplit(':').next().unwrap_or(arn);
                match name.rsplit_once('-') {
                    Some((stem, end)) if end.len() == 6 => stem,
                    _ => name,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_from_names_a_parameter_or_a_secret() {
        let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";
        for from in [secret.to_owned(), format!("{secret}:password::"), format!("{secret}:password:AWSCURRENT:1")] {
            assert_eq!(Kept::parse(&from), Kept::Secret(secret, "eu-west-1"), "{from}");
            assert_eq!(Kept::parse(&from).name(), "prod/db");
        }
        let parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/app/KEY";
        assert_eq!(Kept::parse(parameter), Kept::Parameter(parameter, Some("us-east-1")));
        assert_eq!((Kept::parse(parameter).name(), Kept::parse("/app/KEY").name()), ("/app/KEY", "/app/KEY"));
        assert_eq!(Kept::parse("KEY"), Kept::Parameter("KEY", None));
    }
}
