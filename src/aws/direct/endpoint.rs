//! Where the services without an SDK are, and for which region their requests are signed. IAM is one for a whole partition.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// A service that has no SDK here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum Service {
    Iam,
    Ec2,
    Ssm,
    Kms,
    SecretsManager,
}

impl Service {
    /// The first part of its host, and what its requests are signed for.
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Service::Iam => "iam",
            Service::Ec2 => "ec2",
            Service::Ssm => "ssm",
            Service::Kms => "kms",
            Service::SecretsManager => "secretsmanager",
        }
    }

    fn id(self) -> &'static str {
        match self {
            Service::Iam => "IAM",
            Service::Ec2 => "EC2",
            Service::Ssm => "SSM",
            Service::Kms => "KMS",
            Service::SecretsManager => "Secrets Manager",
        }
    }

    /// The version that a form names; nothing for those that take none.
    pub(super) fn version(self) -> &'static str {
        match self {
            Service::Iam => "2010-05-08",
            Service::Ec2 => "2016-11-15",
            Service::Ssm | Service::Kms | Service::SecretsManager => "",
        }
    }

    /// What stands before an operation in `x-amz-target`; nothing for those that take forms.
    pub(super) fn target(self) -> &'static str {
        match self {
            Service::Ssm => "AmazonSSM",
            Service::Kms => "TrentService",
            Service::SecretsManager => "secretsmanager",
            Service::Iam | Service::Ec2 => "",
        }
    }
}

/// Where to, and the region of the signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) scope: String,
}

/// Regions that begin alike.
struct Partition {
    /// How they begin.
    prefix: &'static str,
    domain: &'static str,
    /// The domain of hosts with IPv6 too.
    dual: &'static str,
    /// IAM's host, and the region that its requests are signed for.
    iam: (&'static str, &'static str),
}

const fn partition(prefix: &'static str, domain: &'static str, dual: &'static str, iam: (&'static str, &'static str)) -> Partition {
    Partition { prefix, domain, dual, iam }
}

/// The first that fits counts.
///
/// Source: `partitions.json` and the endpoint rules of the services in AWS's SDKs.
const PARTITIONS: [Partition; 8] = [
    partition("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", ("iam.cn-north-1", "cn-north-1")),
    partition("us-gov-", "amazonaws.com", "api.aws", ("iam.us-gov", "us-gov-west-1")),
    partition("us-isob-", "sc2s.sgov.gov", "api.aws.scloud", ("iam.us-isob-east-1", "us-isob-east-1")),
    partition("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", ("iam.us-isof-south-1", "us-isof-south-1")),
    partition("us-iso-", "c2s.ic.gov", "api.aws.ic.gov", ("iam.us-iso-east-1", "us-iso-east-1")),
    partition("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", ("iam.eu-isoe-west-1", "eu-isoe-west-1")),
    partition("eusc-", "amazonaws.eu", "api.amazonwebservices.eu", ("iam.eusc-de-east-1", "eusc-de-east-1")),
    partition("", "amazonaws.com", "api.aws", ("iam", "us-east-1")),
];

/// Whether this can be the name of a region.
pub(super) fn is_region(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Where a service is for a context: what the user configured, else AWS's own.
pub(super) fn of(config: &SdkConfig, service: Service, region: &str) -> Endpoint {
    let own = own(service, region, config.use_fips().unwrap_or(false), config.use_dual_stack().unwrap_or(false));
    let url = configured(config, service).or_else(|| config.endpoint_url().map(str::to_owned));
    let with_path = |url: String| if url.splitn(4, '/').count() > 3 { url } else { format!("{url}/") };
    Endpoint { url: url.map_or(own.url, with_path), scope: own.scope }
}

/// `AWS_ENDPOINT_URL_IAM`, `AWS_ENDPOINT_URL_SECRETS_MANAGER` and so on, and what a `services` section of the profile says.
fn configured(config: &SdkConfig, service: Service) -> Option<String> {
    // As for the other services, what a context is told for itself goes before the environment.
    let general = config.get_origin("endpoint_url").is_client_config();
    let key = ServiceConfigKey::builder().service_id(service.id()).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    config.service_config().filter(|_| !general)?.load_config(key.ok()?)
}

fn own(service: Service, region: &str, fips: bool, dual: bool) -> Endpoint {
    let partition = PARTITIONS.iter().find(|row| region.starts_with(row.prefix)).unwrap_or(&PARTITIONS[7]);
    let (domain, name) = (partition.domain, service.signing_name());
    let (url, scope) = match service {
        // GovCloud's is FIPS by itself.
        Service::Iam if fips && partition.iam.0 == "iam" => (format!("https://iam-fips.{domain}/"), partition.iam.1),
        Service::Iam => (format!("https://{}.{domain}/", partition.iam.0), partition.iam.1),
        // So is Systems Manager's.
        Service::Ssm if fips && !dual && region.starts_with("us-gov-") => (format!("https://ssm.{region}.{domain}/"), region),
        _ => {
            let name = if fips { format!("{name}-fips") } else { name.to_owned() };
            let dual = dual
                && match service {
                    Service::Ssm | Service::Kms => true,
                    // In the older partitions its usual hosts have IPv6 too.
                    Service::SecretsManager => domain != "amazonaws.com" && (fips || partition.prefix != "cn-"),
                    Service::Iam | Service::Ec2 => false,
                };
            let domain = if dual { partition.dual } else { domain };
            (format!("https://{name}.{region}.{domain}/"), region)
        }
    };
    Endpoint { url, scope: scope.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::Region;

    #[test]
    fn iam_is_one_for_a_partition_and_ec2_one_for_a_region() {
        let both = |region| {
            [Service::Iam, Service::Ec2].map(|service| (own(service, region, false, false).url, own(service, region, false, false).scope))
        };
        let place = |url: &str, scope: &str| (url.to_owned(), scope.to_owned());
        for (region, iam, ec2) in [
            ("eu-west-1", place("https://iam.amazonaws.com/", "us-east-1"), "https://ec2.eu-west-1.amazonaws.com/"),
            (
                "cn-northwest-1",
                place("https://iam.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
                "https://ec2.cn-northwest-1.amazonaws.com.cn/",
            ),
            ("us-gov-east-1", place("https://iam.us-gov.amazonaws.com/", "us-gov-west-1"), "https://ec2.us-gov-east-1.amazonaws.com/"),
            (
                "us-isob-east-1",
                place("https://iam.us-isob-east-1.sc2s.sgov.gov/", "us-isob-east-1"),
                "https://ec2.us-isob-east-1.sc2s.sgov.gov/",
            ),
        ] {
            assert_eq!(both(region), [iam, place(ec2, region)]);
        }
        assert_eq!(own(Service::Iam, "us-east-1", true, false).url, "https://iam-fips.amazonaws.com/");
        assert_eq!(own(Service::Ec2, "us-east-1", true, false).url, "https://ec2-fips.us-east-1.amazonaws.com/");
    }

    #[test]
    fn the_services_of_a_region_are_where_their_sdks_look_for_them() {
        use Service::{Kms, SecretsManager, Ssm};
        for (service, region, fips, dual, host) in [
            (Ssm, "eu-west-1", false, false, "ssm.eu-west-1.amazonaws.com"),
            (Ssm, "us-east-1", true, false, "ssm-fips.us-east-1.amazonaws.com"),
            (Ssm, "us-gov-east-1", true, false, "ssm.us-gov-east-1.amazonaws.com"),
            (Ssm, "us-gov-east-1", true, true, "ssm-fips.us-gov-east-1.api.aws"),
            (Ssm, "cn-north-1", false, true, "ssm.cn-north-1.api.amazonwebservices.com.cn"),
            (Kms, "us-iso-west-1", true, false, "kms-fips.us-iso-west-1.c2s.ic.gov"),
            (Kms, "us-east-1", true, true, "kms-fips.us-east-1.api.aws"),
            (SecretsManager, "us-isob-east-1", false, false, "secretsmanager.us-isob-east-1.sc2s.sgov.gov"),
            (SecretsManager, "cn-north-1", false, true, "secretsmanager.cn-north-1.amazonaws.com.cn"),
            (SecretsManager, "cn-north-1", true, true, "secretsmanager-fips.cn-north-1.api.amazonwebservices.com.cn"),
            (SecretsManager, "us-east-1", false, true, "secretsmanager.us-east-1.amazonaws.com"),
        ] {
            let expected = Endpoint { url: format!("https://{host}/"), scope: region.to_owned() };
            assert_eq!(own(service, region, fips, dual), expected);
        }
    }

    #[test]
    fn a_region_cannot_lead_elsewhere() {
        assert!(["eu-west-1", "us-gov-east-1", "local"].into_iter().all(is_region));
        assert!(!["", "evil.example/", "a b", "-x", "eu-west-1:8000", "é"].into_iter().any(is_region));
    }

    #[test]
    fn an_endpoint_of_the_users_own_answers_for_both() {
        let config = SdkConfig::builder().endpoint_url("http://127.0.0.1:5000").region(Region::new("eu-west-1")).build();
        assert_eq!(of(&config, Service::Iam, "eu-west-1"), Endpoint { url: "http://127.0.0.1:5000/".into(), scope: "us-east-1".into() });
        assert_eq!(of(&config, Service::Ec2, "eu-west-1"), Endpoint { url: "http://127.0.0.1:5000/".into(), scope: "eu-west-1".into() });
    }
}
