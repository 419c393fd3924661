//! Which values are not for the screen: whoever called a variable a password meant it. Values from Secrets Manager and Parameter Store never
//! reach the program; this is about secrets that somebody wrote into a task definition in clear.

/// What stands in place of a value that looks like a secret.
pub const MASK: &str = "••••";

/// Parts of names that give a secret away.
const PARTS: &[&str] =
    &["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY", "PRIVATE", "CREDENTIAL", "DSN", "CONNECTION_STRING", "PGPASS"];

/// Words of names that do so when they stand alone between underscores.
const WORDS: &[&str] = &["KEY", "PASS", "PWD", "AUTH"];

/// Whether a value is better not shown, by its name or because it is a URL with a password in it.
#[must_use]
pub fn looks_secret(name: &str, value: &str) -> bool {
    let name = name.to_uppercase().replace(['-', '.'], "_");
    let by_name = PARTS.iter().any(|part| name.contains(part)) || name.split('_').any(|word| WORDS.contains(&word));
    by_name || url_with_password(value)
}

fn url_with_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::looks_secret;

    #[test]
    fn secrets_are_known_by_their_name_or_by_a_password_in_a_url() {
        for name in ["DB_PASSWORD", "DB_PASS", "MYSQL_PWD", "PGPASS", "API_KEY", "api-key", "GITHUB_TOKEN", "SENTRY_DSN", "AUTH"] {
            assert!(looks_secret(name, "x"), "{name}");
        }
        for name in ["KEYSPACE", "MONKEY", "PASSENGERS", "AUTHOR", "LOG_LEVEL", "COMPASS_URL"] {
            assert!(!looks_secret(name, "x"), "{name}");
        }
        assert!(looks_secret("REDIS_URL", "redis://:hunter2@cache:6379/0"));
        assert!(looks_secret("DATABASE_URL", "postgres://app:hunter2@db/shop"));
        assert!(!looks_secret("BASE_URL", "https://shop.example/login?next=a:b@c"));
    }
}
