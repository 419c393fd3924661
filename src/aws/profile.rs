//! What `~/.aws/config` and `~/.aws/credentials` say of a profile, as far as the SDK does not look itself: whether it exists,
//! its region, and whether it asks for an MFA code, which the SDK ignores in silence.

use super::failure::{Doing, failure};
use super::{AwsError, ErrorKind};
use crate::nearest::nearest;
use crate::text::clean;
use aws_config::profile::{Profile, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

/// Both files, read now.
pub async fn load() -> Result<ProfileSet, AwsError> {
    let (fs, env, files) = (Fs::default(), Env::default(), EnvConfigFiles::default());
    aws_config::profile::load(&fs, &env, &files, None).await.map_err(|error| {
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let told: Vec<String> = causes.map(ToString::to_string).collect();
        failure(ErrorKind::Invalid, doing("read the AWS configuration"), &told.join(": "), "")
    })
}

fn doing(what: &str) -> Doing<'_> {
    Doing { action: "sts:GetCallerIdentity", what, profile: None }
}

/// The profile of that name; an error that names the nearest one when there is none.
pub fn find<'a>(profiles: &'a ProfileSet, name: &str) -> Result<&'a Profile, AwsError> {
    profiles.get_profile(name).ok_or_else(|| {
        let mut known: Vec<&str> = profiles.profiles().collect();
        known.sort_unstable();
        let hint = match (nearest(name, known.iter().copied()), known.as_slice()) {
            (Some(meant), _) => format!("Did you mean {meant}?"),
            (None, []) => "Neither file names any profile; run: aws configure".to_owned(),
            (None, known) if known.len() <= 12 => format!("They name {}", known.join(", ")),
            (None, known) => format!("They name {} profiles; run: aws configure list-profiles", known.len()),
        };
        let (config, credentials) = files();
        failure(
            ErrorKind::Invalid,
            doing(&format!("use profile {name}")),
            &format!("it is neither in {config} nor in {credentials}"),
            clean(&hint),
        )
    })
}

/// Refuses a profile whose chain of roles asks for an MFA code somewhere.
pub fn refuse_mfa(profiles: &ProfileSet, profile: &Profile) -> Result<(), AwsError> {
    let mut profile = profile;
    // A chain that leads back to itself is the SDK's to refuse; this one only must end.
    for _ in 0..=profiles.profiles().count() {
        let Some(_) = profile.get("role_arn") else { return Ok(()) };
        if let Some(serial) = profile.get("mfa_serial") {
            let name = profile.name();
            let came = format!("it asks for an MFA code (mfa_serial = {serial})");
            let hint = format!(
                "Put its session into a profile with credential_process = aws configure export-credentials --profile {name}, or use SSO"
            );
            return Err(failure(ErrorKind::NoCredentials, doing(&format!("use profile {name}")), &came, clean(&hint)));
        }
        match profile.get("source_profile").and_then(|source| profiles.get_profile(source)) {
            Some(source) if source.name() != profile.name() => profile = source,
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Where the two files are looked for.
pub fn files() -> (String, String) {
    let path =
        |variable: &str, default: &str| std::env::var(variable).ok().filter(|path| !path.is_empty()).unwrap_or_else(|| default.to_owned());
    (path("AWS_CONFIG_FILE", "~/.aws/config"), path("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_runtime::env_config::file::EnvConfigFileKind;

    async fn profiles(config: &str) -> ProfileSet {
        let (fs, env) = (Fs::default(), Env::default());
        let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, config).build();
        aws_config::profile::load(&fs, &env, &files, None).await.unwrap()
    }

    #[tokio::test]
    async fn an_unknown_profile_is_answered_with_the_nearest_name() {
        let known = profiles("[profile acme-prod]\nregion = eu-west-1\n[profile acme-stage]\n[profile personal]\n[profile other]\n").await;
        assert_eq!(find(&known, "acme-prod").unwrap().get("region"), Some("eu-west-1"));
        let told = find(&known, "acme-prd").unwrap_err();
        assert!(told.what.starts_with("Cannot use profile acme-prd: it is neither in "), "{}", told.what);
        assert_eq!(&*told.hint, "Did you mean acme-prod?");
        assert_eq!(&*find(&known, "customer").unwrap_err().hint, "They name acme-prod, acme-stage, other, personal");
        let none = profiles("").await;
        assert!(find(&none, "x").unwrap_err().hint.contains("aws configure"));
    }

    #[tokio::test]
    async fn a_role_that_asks_for_mfa_is_refused_wherever_it_stands_in_the_chain() {
        let known = profiles(
            "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\nmfa_serial = arn:aws:iam::1:mfa/ann\n\
             [profile admin]\nrole_arn = arn:aws:iam::1:role/admin\nsource_profile = base\nmfa_serial = arn:aws:iam::1:mfa/ann\n\
             [profile nested]\nrole_arn = arn:aws:iam::2:role/x\nsource_profile = admin\n\
             [profile plain]\nrole_arn = arn:aws:iam::2:role/x\nsource_profile = base\n\
             [profile loop]\nrole_arn = arn:aws:iam::2:role/x\nsource_profile = pool\n[profile pool]\nrole_arn = arn:aws:iam::2:role/x\nsource_profile = loop\n",
        )
        .await;
        let asked = |name: &str| refuse_mfa(&known, known.get_profile(name).unwrap());
        for name in ["admin", "nested"] {
            let told = asked(name).unwrap_err();
            assert_eq!(&*told.what, "Cannot use profile admin: it asks for an MFA code (mfa_serial = arn:aws:iam::1:mfa/ann)");
            assert_eq!(told.kind, ErrorKind::NoCredentials);
        }
        // Without a role to assume the serial is a note for other tools, as it is for the AWS CLI.
        for name in ["base", "plain", "loop"] {
            assert_eq!(asked(name), Ok(()), "{name}");
        }
    }
}
