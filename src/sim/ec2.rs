//! EC2, as far as it tells what a task can reach: instances, subnets, endpoints and route tables.
//!
//! Every account and region has two VPCs: one whose subnets go out by a NAT gateway, two by a table of their own and one by the main
//! table; and one that reaches nothing but the endpoints in it, `ssmmessages` not among them.

use super::ecs::ApiError;
use super::iam::{INSTANCE_ROLE, matches};
use super::wire::{iso, refuse};
use super::world::{ContainerInstance, Estate};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(estate: &Estate, operation: &str, body: &Value) -> Result<Value, ApiError> {
    match operation {
        "DescribeInstances" => instances(estate, body),
        "DescribeSubnets" => subnets(estate, body),
        "DescribeVpcEndpoints" => endpoints(estate, body),
        "DescribeRouteTables" => route_tables(estate, body),
        _ => Err(refuse(400, "InvalidAction", format!("The action {operation} is not valid for this web service."))),
    }
}

/// The codes of the query protocol as EC2 has them.
pub(super) fn in_its_words(error: ApiError) -> ApiError {
    let ApiError { status, code, message } = error;
    match code {
        "AccessDenied" => refuse(403, "UnauthorizedOperation", format!("You are not authorized to perform this operation. {message}")),
        "InvalidClientTokenId" | "SignatureDoesNotMatch" | "MissingAuthenticationToken" => {
            refuse(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
        }
        "ExpiredToken" => refuse(400, "RequestExpired", "Request has expired."),
        "Throttling" => refuse(503, "RequestLimitExceeded", "Request limit exceeded."),
        _ => ApiError { status, code, message },
    }
}

fn texts<'a>(body: &'a Value, key: &str) -> Vec<&'a str> {
    body.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Keeps what has one of the ids and meets all filters. `of` tells what a filter looks at; nothing for one that there is not.
fn chosen(
    body: &Value,
    (key, kind): (&str, &'static str),
    all: Vec<(String, Value)>,
    of: fn(&Value, &str) -> Option<Vec<String>>,
) -> Result<Vec<Value>, ApiError> {
    let ids = texts(body, key);
    let missing: Vec<&str> = ids.iter().copied().filter(|id| !all.iter().any(|(own, _)| own == id)).collect();
    match missing.as_slice() {
        [] => {}
        [one] => return Err(unknown(kind, &format!("ID '{one}' does not exist"))),
        several => return Err(unknown(kind, &format!("IDs '{}' do not exist", several.join(", ")))),
    }
    let mut kept: Vec<Value> = all.into_iter().filter(|(id, _)| ids.is_empty() || ids.contains(&id.as_str())).map(|(_, one)| one).collect();
    for filter in body.get("Filter").and_then(Value::as_array).into_iter().flatten() {
        let name = filter.get("Name").and_then(Value::as_str).unwrap_or_default();
        let values = texts(filter, "Value");
        if values.is_empty() {
            return Err(refuse(400, "InvalidParameterValue", format!("The filter '{name}' has no value")));
        }
        if kept.iter().any(|one| of(one, name).is_none()) {
            return Err(refuse(400, "InvalidParameterValue", format!("The filter '{name}' is invalid")));
        }
        kept.retain(|one| of(one, name).unwrap_or_default().iter().any(|own| values.iter().any(|wanted| matches(wanted, own))));
    }
    Ok(kept)
}

fn unknown(kind: &'static str, why: &str) -> ApiError {
    let (code, noun) = match kind {
        "instance" => ("InvalidInstanceID.NotFound", "instance"),
        "subnet" => ("InvalidSubnetID.NotFound", "subnet"),
        "endpoint" => ("InvalidVpcEndpointId.NotFound", "Vpc Endpoint"),
        _ => ("InvalidRouteTableID.NotFound", "routeTable"),
    };
    refuse(400, code, format!("The {noun} {why}"))
}

/// A page of a set; the token is the number of those before.
fn page(body: &Value, set: &str, all: Vec<Value>) -> Result<Value, ApiError> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|value| !value.is_empty());
    let wrong = |key: &str, value: &str| {
        refuse(
            400,
            "InvalidParameterValue",
            format!("Value ( {value} ) for parameter {key} is invalid. Expecting a value between 5 and 1000."),
        )
    };
    let size = match text("MaxResults").map(|value| (value, value.parse::<usize>())) {
        None => all.len(),
        Some((_, Ok(size @ 5..=1000))) => size,
        Some((value, _)) => return Err(wrong("maxResults", value)),
    };
    let decoded = |token: &str| String::from_utf8(STANDARD.decode(token).ok()?).ok()?.parse::<usize>().ok();
    let from = match text("NextToken") {
        None => 0,
        Some(token) => decoded(token).ok_or_else(|| refuse(400, "InvalidNextToken", "The token is invalid"))?,
    };
    let more = from + size < all.len();
    let token = more.then(|| STANDARD.encode((from + size).to_string()));
    let shown: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    Ok(json!({set: shown, "nextToken": token}))
}

fn own(one: &Value, at: &str) -> Vec<String> {
    one.get(at).and_then(Value::as_str).map(str::to_owned).into_iter().collect()
}

fn instances(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    if let Some(wrong) = texts(body, "InstanceId").into_iter().find(|id| !id.starts_with("i-")) {
        return Err(refuse(400, "InvalidInstanceID.Malformed", format!("Invalid id: \"{wrong}\"")));
    }
    let all = estate.instances.iter().map(|host| (host.ec2_instance_id.clone(), instance(estate, host))).collect();
    let of = |one: &Value, name: &str| match name {
        "instance-id" => Some(own(one, "instanceId")),
        "vpc-id" => Some(own(one, "vpcId")),
        "subnet-id" => Some(own(one, "subnetId")),
        _ => None,
    };
    let kept = chosen(body, ("InstanceId", "instance"), all, of)?;
    let reservation = |one: Value| {
        let id = one["instanceId"].as_str().unwrap_or_default().replacen("i-", "r-", 1);
        json!({"reservationId": id, "ownerId": estate.account, "groupSet": [], "instancesSet": [one]})
    };
    page(body, "reservationSet", kept.into_iter().map(reservation).collect())
}

fn instance(estate: &Estate, host: &ContainerInstance) -> Value {
    let zone = estate.zones().iter().position(|zone| *zone == host.zone).unwrap_or(0);
    json!({
        "instanceId": host.ec2_instance_id,
        "instanceState": if host.gone { json!({"code": "48", "name": "terminated"}) } else { json!({"code": "16", "name": "running"}) },
        "instanceType": host.instance_type,
        "architecture": if host.architecture == "arm64" { "arm64" } else { "x86_64" },
        "privateIpAddress": host.ip,
        "placement": {"availabilityZone": host.zone, "tenancy": "default"},
        "subnetId": estate.subnets()[zone],
        "vpcId": estate.vpc(),
        "iamInstanceProfile": {
            "arn": format!("arn:aws:iam::{}:instance-profile/{INSTANCE_ROLE}", estate.account),
            "id": "AIPAEXAMPLEOFTHEHOSTS",
        },
    })
}

fn subnets(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let subnet = |(index, id): (usize, String), vpc: String, second: usize| {
        let value = json!({
            "subnetId": id,
            "subnetArn": estate.arn("ec2", &format!("subnet/{id}")),
            "state": "available",
            "vpcId": vpc,
            "ownerId": estate.account,
            "cidrBlock": format!("10.{}.0.0/16", second + index),
            "availabilityZone": estate.zones()[index],
            "availableIpAddressCount": 65_000,
            "defaultForAz": false,
            "mapPublicIpOnLaunch": false,
        });
        (id, value)
    };
    let open = estate.subnets().into_iter().enumerate().map(|one| subnet(one, estate.vpc(), 20));
    let sealed = estate.sealed_subnets().into_iter().enumerate().map(|one| subnet(one, estate.sealed_vpc(), 20));
    let of = |one: &Value, name: &str| match name {
        "subnet-id" => Some(own(one, "subnetId")),
        "vpc-id" => Some(own(one, "vpcId")),
        "availability-zone" => Some(own(one, "availabilityZone")),
        "owner-id" => Some(own(one, "ownerId")),
        _ => None,
    };
    let kept = chosen(body, ("SubnetId", "subnet"), open.chain(sealed).collect(), of)?;
    page(body, "subnetSet", kept)
}

fn endpoints(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let endpoint = |(vpc, subnets): (String, Vec<String>), name: &str| {
        let id = estate.network_id("vpce", &format!("{vpc} {name}"));
        let gateway = name == "s3";
        let value = json!({
            "vpcEndpointId": id,
            "vpcEndpointType": if gateway { "Gateway" } else { "Interface" },
            "vpcId": vpc,
            "serviceName": format!("com.amazonaws.{}.{name}", estate.region),
            "state": "available",
            "privateDnsEnabled": !gateway,
            "requesterManaged": false,
            "ownerId": estate.account,
            "creationTimestamp": iso(1_709_251_200_000),
            "subnetIdSet": if gateway { json!([]) } else { json!(subnets) },
            "routeTableIdSet": [],
            "networkInterfaceIdSet": [],
        });
        (id, value)
    };
    let sealed = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "s3"];
    let sealed = sealed.iter().map(|name| endpoint((estate.sealed_vpc(), estate.sealed_subnets().to_vec()), name));
    let open = std::iter::once(endpoint((estate.vpc(), Vec::new()), "s3"));
    let of = |one: &Value, name: &str| match name {
        "vpc-endpoint-id" => Some(own(one, "vpcEndpointId")),
        "vpc-id" => Some(own(one, "vpcId")),
        "service-name" => Some(own(one, "serviceName")),
        "vpc-endpoint-state" => Some(own(one, "state")),
        "vpc-endpoint-type" => Some(own(one, "vpcEndpointType")),
        _ => None,
    };
    let kept = chosen(body, ("VpcEndpointId", "endpoint"), open.chain(sealed).collect(), of)?;
    page(body, "vpcEndpointSet", kept)
}

fn route_tables(estate: &Estate, body: &Value) -> Result<Value, ApiError> {
    let local = json!({"destinationCidrBlock": "10.0.0.0/8", "gatewayId": "local", "state": "active", "origin": "CreateRouteTable"});
    let out = json!({"destinationCidrBlock": "0.0.0.0/0", "natGatewayId": estate.network_id("nat", "nat"), "state": "active", "origin": "CreateRoute"});
    let storage = |vpc: &str| {
        let through = estate.network_id("vpce", &format!("{vpc} s3"));
        json!({"destinationPrefixListId": "pl-6da54004", "gatewayId": through, "state": "active", "origin": "CreateRoute"})
    };
    let table = |name: &str, vpc: &str, subnets: &[String], routes: &[&Value]| {
        let id = estate.network_id("rtb", name);
        let association = |subnet: Option<&String>| {
            json!({
                "routeTableAssociationId": estate.network_id("rtbassoc", &format!("{name} {}", subnet.map_or("main", |subnet| subnet))),
                "routeTableId": id,
                "subnetId": subnet,
                "main": subnet.is_none(),
                "associationState": {"state": "associated"},
            })
        };
        let associations: Vec<Value> =
            if subnets.is_empty() { vec![association(None)] } else { subnets.iter().map(|s| association(Some(s))).collect() };
        let value = json!({
            "routeTableId": id, "vpcId": vpc, "ownerId": estate.account,
            "routeSet": routes, "associationSet": associations, "propagatingVgwSet": [],
        });
        (id, value)
    };
    let (open, sealed) = (estate.vpc(), estate.sealed_vpc());
    let s3 = [storage(&open), storage(&sealed)];
    let all = vec![
        table("main", &open, &[], &[&local, &out]),
        table("own", &open, &estate.subnets()[..2], &[&local, &out, &s3[0]]),
        table("sealed main", &sealed, &[], &[&local]),
        table("sealed own", &sealed, &estate.sealed_subnets(), &[&local, &s3[1]]),
    ];
    let of = |one: &Value, name: &str| {
        let associations = one["associationSet"].as_array().into_iter().flatten();
        match name {
            "route-table-id" => Some(own(one, "routeTableId")),
            "vpc-id" => Some(own(one, "vpcId")),
            "association.subnet-id" => Some(associations.filter_map(|a| a["subnetId"].as_str().map(str::to_owned)).collect()),
            "association.main" => Some(associations.map(|a| (a["main"] == json!(true)).to_string()).collect()),
            _ => None,
        }
    };
    let kept = chosen(body, ("RouteTableId", "table"), all, of)?;
    page(body, "routeTableSet", kept)
}
