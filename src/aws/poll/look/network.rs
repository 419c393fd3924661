//! EC2's answers: instances, subnets, endpoints and routes.

use super::super::super::direct::{Element, Service};
use super::super::super::{AwsError, ErrorKind};
use super::{PAGES, ask, pair};
use crate::aws::api::Api;
use crate::aws::convert::clean;
use crate::aws::failure::{Doing, failure};
use crate::budget::Priority;
use crate::model::{Ec2Instance, Endpoint, Str, Subnet, WayOut};

/// Endpoints of a page; EC2 takes 5 to 1000.
const PAGE: &str = "200";

fn maybe(element: &Element, name: &str) -> Option<Str> {
    element.text(name).map(clean)
}

fn some(element: &Element, name: &str) -> Str {
    maybe(element, name).unwrap_or_default()
}

/// A filter: its number, its name and its one value.
fn filter(number: usize, name: &str, value: &str) -> [(String, String); 2] {
    [pair(format!("Filter.{number}.Name"), name), pair(format!("Filter.{number}.Value.1"), value)]
}

fn absent(action: &str, what: &str, id: &str) -> AwsError {
    failure(ErrorKind::NotFound, Doing { action, what, profile: None }, &format!("EC2 knows no {id}"), "")
}

pub(super) async fn instance(api: &Api, id: &str, priority: Priority) -> Result<Ec2Instance, AwsError> {
    const ACTION: &str = "ec2:DescribeInstances";
    let what = format!("describe the instance {id}");
    let answer = ask(api, Service::Ec2, ACTION, &what, priority, &[pair("InstanceId.1", id)]).await?;
    let found = answer.list("reservationSet").find_map(|reservation| reservation.list("instancesSet").next());
    let found = found.ok_or_else(|| absent(ACTION, &what, id))?;
    let profile = found.child("iamInstanceProfile").and_then(|profile| profile.text("arn"));
    Ok(Ec2Instance {
        profile: profile.map(|arn| clean(arn.rsplit('/').next().unwrap_or(arn))),
        subnet: maybe(found, "subnetId"),
        public: found.text("ipAddress").is_some(),
    })
}

pub(super) async fn subnet(api: &Api, id: &str, priority: Priority) -> Result<Subnet, AwsError> {
    const ACTION: &str = "ec2:DescribeSubnets";
    let what = format!("describe the subnet {id}");
    let answer = ask(api, Service::Ec2, ACTION, &what, priority, &[pair("SubnetId.1", id)]).await?;
    let found = answer.list("subnetSet").next().ok_or_else(|| absent(ACTION, &what, id))?;
    Ok(Subnet { vpc: some(found, "vpcId"), owner: some(found, "ownerId") })
}

pub(super) async fn endpoints(api: &Api, vpc: &str, priority: Priority) -> Result<Vec<Endpoint>, AwsError> {
    let what = format!("list the endpoints of {vpc}");
    let mut parameters = filter(1, "vpc-id", vpc).to_vec();
    parameters.push(pair("MaxResults", PAGE));
    let mut all = Vec::new();
    for _ in 0..PAGES {
        let page = ask(api, Service::Ec2, "ec2:DescribeVpcEndpoints", &what, priority, &parameters).await?;
        all.extend(page.list("vpcEndpointSet").map(|found| Endpoint {
            id: some(found, "vpcEndpointId"),
            service: some(found, "serviceName"),
            kind: some(found, "vpcEndpointType"),
            state: some(found, "state"),
            private_dns: found.text("privateDnsEnabled") == Some("true"),
        }));
        let Some(next) = page.text("nextToken") else { break };
        parameters.retain(|(name, _)| name != "NextToken");
        parameters.push(pair("NextToken", next));
    }
    Ok(all)
}

/// The routes of the subnet's own table, else of the VPC's main one.
pub(super) async fn routes(api: &Api, subnet: &str, vpc: &str, priority: Priority) -> Result<Vec<WayOut>, AwsError> {
    const ACTION: &str = "ec2:DescribeRouteTables";
    let what = format!("read the routes of {subnet}");
    let own = ask(api, Service::Ec2, ACTION, &what, priority, &filter(1, "association.subnet-id", subnet)).await?;
    if let Some(table) = own.list("routeTableSet").next() {
        return Ok(ways(table));
    }
    let main = [filter(1, "association.main", "true"), filter(2, "vpc-id", vpc)].concat();
    let main = ask(api, Service::Ec2, ACTION, &what, priority, &main).await?;
    main.list("routeTableSet").next().map(ways).ok_or_else(|| absent(ACTION, &what, vpc))
}

/// What leaves the VPC; the route within it is in every table.
fn ways(table: &Element) -> Vec<WayOut> {
    let through = [
        "natGatewayId",
        "transitGatewayId",
        "gatewayId",
        "networkInterfaceId",
        "instanceId",
        "vpcPeeringConnectionId",
        "egressOnlyInternetGatewayId",
        "carrierGatewayId",
        "localGatewayId",
        "coreNetworkArn",
    ];
    let way = |route: &Element| {
        let to = ["destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"];
        Some(WayOut {
            to: to.iter().find_map(|name| maybe(route, name))?,
            through: through.iter().find_map(|name| maybe(route, name)).filter(|through| &**through != "local")?,
            works: route.text("state") != Some("blackhole"),
        })
    };
    table.list("routeSet").filter_map(way).collect()
}
