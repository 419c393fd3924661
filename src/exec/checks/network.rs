//! Whether a way leads from the task to `ssmmessages`: an interface endpoint in its VPC, or a route out of its subnet. What security groups,
//! policies of endpoints and whoever runs a gateway let through is not seen.

use super::list::{check, failed, missing, unknown, warn};
use super::{Check, Facts, Finding, Known, look};
use crate::model::{Endpoint, Subnet, WayOut};

const WHAT: &str = "way to ssmmessages";

/// Where the default routes go.
#[derive(Debug, PartialEq, Eq)]
enum Out<'a> {
    /// Through something that reaches the internet for private addresses.
    Nat(&'a WayOut),
    /// Through an internet gateway, which takes only who has a public address.
    Gateway(&'a WayOut),
    /// Through something that leads to another network.
    Elsewhere(&'a WayOut),
    /// Through something that is gone.
    Hole(&'a WayOut),
    /// Nowhere.
    Nowhere,
}

pub(super) fn way(facts: &Facts) -> Check {
    let Some(subnet) = facts.subnet() else { return unseen(facts, &facts.host().same()) };
    let found = match facts.subnet_seen() {
        Known::Yes(found) => found,
        other => return unseen(facts, &other.same()),
    };
    let own = facts.task.arn.account();
    if &*found.owner != own {
        let told =
            format!("{subnet} belongs to account {}, which shares it: its routes and endpoints cannot be judged from here", found.owner);
        return check(WHAT, told, unknown(format!("ask its owner: {}", look::way(facts, Some(&subnet)))));
    }
    let (endpoints, routes) = (facts.endpoints(&found.vpc), facts.routes(&found.vpc));
    // One that does not work, or that only a zone of the company's own names, is no matter where a route leads out.
    let leads = routes.yes().is_some_and(|routes| leads(facts, routes));
    let by = endpoints.yes().and_then(|all| through(facts, all, "ssmmessages"));
    if let Some(told) = by.filter(|told| works(told) && told.private_dns || !leads) {
        return by_endpoint(facts, &found, endpoints.yes().map_or(&[][..], Vec::as_slice), routes.yes().map(Vec::as_slice), told);
    }
    let Some(known) = routes.yes() else { return unseen(facts, &routes.same()) };
    let route = |way: &WayOut| format!("the route {} goes through {}", way.to, way.through);
    let endpoint = endpoints.yes().map(|_| " and its VPC has no interface endpoint for it").unwrap_or_default();
    match out(known) {
        Out::Nat(way) => check(WHAT, format!("{subnet}: {}", route(way)), Finding::Passed),
        Out::Gateway(way) => match public(facts) {
            Some(true) => check(WHAT, format!("{subnet}: {}, and it has a public address", route(way)), Finding::Passed),
            Some(false) => {
                let told = format!("{subnet}: {}, which takes only public addresses, and the task has none{endpoint}", route(way));
                surmise(facts, &endpoints, check(WHAT, told, failed(mend(facts, &found))))
            }
            None => check(
                WHAT,
                format!("{subnet}: {}: it needs a public address", route(way)),
                unknown("look whether the task has a public address"),
            ),
        },
        Out::Elsewhere(way) => {
            let told = format!("{subnet}: {}: whether that leads to ssmmessages is not seen from here", route(way));
            let ask = format!("ask who runs {}", way.through);
            check(WHAT, told, if facts.stranded() { warn(ask) } else { unknown(ask) })
        }
        Out::Hole(way) => {
            let told = format!("{subnet}: {}, which is gone{endpoint}", route(way));
            surmise(facts, &endpoints, check(WHAT, told, failed(mend(facts, &found))))
        }
        Out::Nowhere => {
            let told = format!("{subnet} has no route out{endpoint}");
            surmise(facts, &endpoints, check(WHAT, told, failed(mend(facts, &found))))
        }
    }
}

/// Whether a route may lead the task there.
fn leads(facts: &Facts, routes: &[WayOut]) -> bool {
    match out(routes) {
        Out::Nat(_) | Out::Elsewhere(_) => true,
        Out::Gateway(_) => public(facts) == Some(true),
        Out::Hole(_) | Out::Nowhere => false,
    }
}

/// A guess that a session may prove wrong; and none at all while the endpoints are not known.
fn surmise(facts: &Facts, endpoints: &Known<Vec<Endpoint>>, check: Check) -> Check {
    match endpoints {
        Known::Yes(_) => Check { surmise: true, ..check },
        Known::Reading => missing(WHAT, &Known::<()>::Reading),
        other => {
            let why = if let Known::Denied(action) = other {
                format!("; may not look for endpoints: AccessDenied for {action}")
            } else {
                String::new()
            };
            let told = format!("{}{why}", check.told);
            Check { told, result: warn(look::way(facts, facts.subnet().as_deref())), ..check }
        }
    }
}

/// What creates the endpoint that is missing.
fn mend(facts: &Facts, subnet: &Subnet) -> String {
    let region = facts.task.arn.region();
    format!(
        "create it with private DNS and a security group that takes HTTPS from the task (or a route through a NAT gateway): \
         aws ec2 create-vpc-endpoint --region {region} --vpc-id {} --vpc-endpoint-type Interface \
         --service-name com.amazonaws.{region}.ssmmessages --private-dns-enabled --subnet-ids {} --security-group-ids GROUP",
        subnet.vpc,
        facts.subnet().as_deref().unwrap_or("SUBNET")
    )
}

/// How an interface endpoint of a service stands, if there is one.
fn through<'a>(facts: &Facts, all: &'a [Endpoint], service: &str) -> Option<&'a Endpoint> {
    let end = format!(".{}.{service}", facts.task.arn.region());
    let fits = |endpoint: &&Endpoint| &*endpoint.kind == "Interface" && endpoint.service.ends_with(&end);
    // One that works goes before one that does not.
    all.iter().filter(fits).max_by_key(|endpoint| (works(endpoint), endpoint.private_dns))
}

fn works(endpoint: &Endpoint) -> bool {
    endpoint.state.eq_ignore_ascii_case("available")
}

fn by_endpoint(facts: &Facts, subnet: &Subnet, all: &[Endpoint], routes: Option<&[WayOut]>, found: &Endpoint) -> Check {
    let leaves = routes.is_some_and(|routes| leads(facts, routes));
    if !works(found) && !leaves {
        let told = format!("the endpoint {} is {}", found.id, found.state);
        return Check { surmise: true, ..check(WHAT, told, failed("wait until it is available, or create it anew")) };
    }
    if !found.private_dns && !leaves {
        let told = format!("the endpoint {} is there, but without private DNS the agent does not find it", found.id);
        return check(WHAT, told, warn(format!("aws ec2 modify-vpc-endpoint --vpc-endpoint-id {} --private-dns-enabled", found.id)));
    }
    // The agent of an encrypted session asks KMS as well.
    let to_kms = facts.key().is_none() || leaves || through(facts, all, "kms").is_some_and(works);
    if let (false, Some(routes)) = (to_kms, routes)
        && matches!(out(routes), Out::Nowhere | Out::Hole(_))
    {
        let told = format!("the endpoint {} is there, but none for kms, which the session's key needs, and no route out", found.id);
        let fix = mend(facts, subnet).replace(".ssmmessages ", ".kms ");
        return Check { surmise: true, ..check(WHAT, told, failed(fix)) };
    }
    check(WHAT, format!("the endpoint {} in {}", found.id, subnet.vpc), Finding::Passed)
}

/// Where the default route goes; without one, whatever else leaves for another network.
fn out(routes: &[WayOut]) -> Out<'_> {
    // The agent speaks IPv4, wherever there is any.
    let default = |way: &&WayOut| &*way.to == "0.0.0.0/0";
    let mut found = Out::Nowhere;
    for way in routes.iter().filter(default) {
        let kind = way.through.split('-').next().unwrap_or_default();
        let this = match kind {
            _ if !way.works => Out::Hole(way),
            "nat" => Out::Nat(way),
            "igw" => Out::Gateway(way),
            _ => Out::Elsewhere(way),
        };
        if rank(&this) > rank(&found) {
            found = this;
        }
    }
    // An endpoint of the company may be in a network that only some addresses lead to; gateway endpoints lead to storage alone.
    let elsewhere = |way: &&WayOut| way.works && !way.to.starts_with("pl-") && !default(way);
    match found {
        Out::Nowhere => routes.iter().find(elsewhere).map_or(Out::Nowhere, Out::Elsewhere),
        found => found,
    }
}

fn rank(out: &Out<'_>) -> u8 {
    match out {
        Out::Nowhere => 0,
        Out::Hole(_) => 1,
        Out::Elsewhere(_) => 2,
        Out::Gateway(_) => 3,
        Out::Nat(_) => 4,
    }
}

/// Whether the task has a public address, as far as anybody tells.
fn public(facts: &Facts) -> Option<bool> {
    if facts.task.subnet.is_none() {
        return facts.host().yes().map(|host| host.public);
    }
    // Tasks with a network interface of their own on an instance never have one.
    if facts.definition.yes().is_some() && !facts.fargate() {
        return Some(false);
    }
    match facts.service.yes()?.public_ip.as_deref() {
        Some("ENABLED") => Some(true),
        Some("DISABLED") => Some(false),
        _ => None,
    }
}

/// What can be said without EC2's answer.
fn unseen(facts: &Facts, of: &Known<()>) -> Check {
    let region = facts.task.arn.region();
    let subnet = facts.subnet();
    let look = look::way(facts, subnet.as_deref());
    let private = facts.service.yes().is_some_and(|service| service.public_ip.as_deref() == Some("DISABLED"));
    let needs = format!("it needs a NAT gateway or an interface endpoint com.amazonaws.{region}.ssmmessages");
    let (tail, finding) = match of {
        Known::Reading => return missing(WHAT, of),
        Known::Denied(action) => {
            (format!("; may not look: AccessDenied for {action}"), Finding::MayNotLook { action: action.clone(), look: Some(look.clone()) })
        }
        Known::Failed(why) => (format!("; {why}"), unknown(look.clone())),
        _ => (String::new(), unknown(look.clone())),
    };
    match (facts.stranded(), private) {
        (true, true) => check(WHAT, format!("the likely cause: the task has no public address, so {needs}{tail}"), warn(look)),
        (true, false) => check(WHAT, format!("a likely cause: {needs}{tail}"), warn(look)),
        (false, true) => check(WHAT, format!("the task has no public address: {needs}{tail}"), finding),
        (false, false) => check(WHAT, format!("only EC2 can tell{tail}"), finding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(to: &str, through: &str) -> WayOut {
        WayOut { to: to.into(), through: through.into(), works: true }
    }

    #[test]
    fn the_best_way_out_counts_and_storage_is_none() {
        let nat = to("0.0.0.0/0", "nat-1");
        assert_eq!(out(std::slice::from_ref(&nat)), Out::Nat(&nat));
        let both = [to("0.0.0.0/0", "tgw-1"), to("::/0", "eigw-1")];
        assert_eq!(out(&both), Out::Elsewhere(&both[0]), "the agent speaks IPv4");
        assert_eq!(out(&both[1..]), Out::Elsewhere(&both[1]));
        let hole = [WayOut { works: false, ..nat }];
        assert_eq!(out(&hole), Out::Hole(&hole[0]));
        let company = [to("10.0.0.0/8", "tgw-1"), to("pl-1", "vpce-1")];
        assert_eq!(out(&company), Out::Elsewhere(&company[0]));
        assert_eq!(out(&company[1..]), Out::Nowhere);
    }
}
