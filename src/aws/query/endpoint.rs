//! Where IAM and EC2 are, and for which region their requests are signed. IAM is one for a whole partition.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// A service that speaks the Query protocol and has no SDK here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum Service {
    Iam,
    Ec2,
}

impl Service {
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Service::Iam => "iam",
            Service::Ec2 => "ec2",
        }
    }

    fn id(self) -> &'static str {
        match self {
            Service::Iam => "IAM",
            Service::Ec2 => "EC2",
        }
    }

    pub(super) fn version(self) -> &'static str {
        match self {
            Service::Iam => "2010-05-08",
            Service::Ec2 => "2016-11-15",
        }
    }
}

/// Where to, and the region of the signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) scope: String,
}

/// Partitions whose regions begin alike: prefix, domain, IAM's host, the region that IAM's requests are signed for. The first that fits.
///
/// Source: `partitions.json` and the endpoint rules of IAM in AWS's SDKs.
const PARTITIONS: [(&str, &str, &str, &str); 8] = [
    ("cn-", "amazonaws.com.cn", "iam.cn-north-1", "cn-north-1"),
    ("us-gov-", "amazonaws.com", "iam.us-gov", "us-gov-west-1"),
    ("us-isob-", "sc2s.sgov.gov", "iam.us-isob-east-1", "us-isob-east-1"),
    ("us-isof-", "csp.hci.ic.gov", "iam.us-isof-south-1", "us-isof-south-1"),
    ("us-iso-", "c2s.ic.gov", "iam.us-iso-east-1", "us-iso-east-1"),
    ("eu-isoe-", "cloud.adc-e.uk", "iam.eu-isoe-west-1", "eu-isoe-west-1"),
    ("eusc-", "amazonaws.eu", "iam.eusc-de-east-1", "eusc-de-east-1"),
    ("", "amazonaws.com", "iam", "us-east-1"),
];

/// Where a service is for a context: what the user configured, else AWS's own.
pub(super) fn of(config: &SdkConfig, service: Service, region: &str) -> Endpoint {
    let own = own(service, region, config.use_fips().unwrap_or(false));
    let url = configured(config, service).or_else(|| config.endpoint_url().map(str::to_owned));
    let with_path = |url: String| if url.splitn(4, '/').count() > 3 { url } else { format!("{url}/") };
    Endpoint { url: url.map_or(own.url, with_path), scope: own.scope }
}

/// `AWS_ENDPOINT_URL_IAM`, `AWS_ENDPOINT_URL_EC2`, and what a `services` section of the profile says.
fn configured(config: &SdkConfig, service: Service) -> Option<String> {
    // As for the other services, what a context is told for itself goes before the environment.
    let general = config.get_origin("endpoint_url").is_client_config();
    let key = ServiceConfigKey::builder().service_id(service.id()).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    config.service_config().filter(|_| !general)?.load_config(key.ok()?)
}

fn own(service: Service, region: &str, fips: bool) -> Endpoint {
    let (_, domain, iam, scope) = PARTITIONS.into_iter().find(|row| region.starts_with(row.0)).unwrap_or(PARTITIONS[7]);
    match service {
        // GovCloud's is FIPS by itself.
        Service::Iam if fips && iam == "iam" => Endpoint { url: format!("https://iam-fips.{domain}/"), scope: scope.to_owned() },
        Service::Iam => Endpoint { url: format!("https://{iam}.{domain}/"), scope: scope.to_owned() },
        Service::Ec2 => {
            let name = if fips { "ec2-fips" } else { "ec2" };
            Endpoint { url: format!("https://{name}.{region}.{domain}/"), scope: region.to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::Region;

    #[test]
    fn iam_is_one_for_a_partition_and_ec2_one_for_a_region() {
        let both =
            |region| [Service::Iam, Service::Ec2].map(|service| (own(service, region, false).url, own(service, region, false).scope));
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
        assert_eq!(own(Service::Iam, "us-east-1", true).url, "https://iam-fips.amazonaws.com/");
        assert_eq!(own(Service::Ec2, "us-east-1", true).url, "https://ec2-fips.us-east-1.amazonaws.com/");
    }

    #[test]
    fn an_endpoint_of_the_users_own_answers_for_both() {
        let config = SdkConfig::builder().endpoint_url("http://127.0.0.1:5000").region(Region::new("eu-west-1")).build();
        assert_eq!(of(&config, Service::Iam, "eu-west-1"), Endpoint { url: "http://127.0.0.1:5000/".into(), scope: "us-east-1".into() });
        assert_eq!(of(&config, Service::Ec2, "eu-west-1"), Endpoint { url: "http://127.0.0.1:5000/".into(), scope: "eu-west-1".into() });
    }
}
