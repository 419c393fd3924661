//! What leads to a target group: the listeners and rules of a load balancer.

use super::{Arn, Str};

/// One rule of a listener, the default rule included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// The rule's ARN; the listener's for a load balancer without rules.
    pub rule: Arn,
    /// Load balancer's name.
    pub load_balancer: Str,
    /// Port of the listener.
    pub port: u16,
    /// Protocol of the listener.
    pub protocol: Str,
    /// Priority, `default` for the last one.
    pub priority: Str,
    /// Hosts that it is for; none means any.
    pub hosts: Vec<Str>,
    /// Paths that it is for; none means any.
    pub paths: Vec<Str>,
    /// Other conditions, field and values in a line.
    pub others: Vec<Str>,
    /// Target groups that it forwards to, with their relative weights.
    pub groups: Vec<(Arn, u32)>,
}

impl Route {
    /// The group's part of what the rule forwards, in percent; nothing when the rule does not name it.
    #[must_use]
    pub fn share(&self, group: &Arn) -> Option<u32> {
        let weight = self.groups.iter().find(|(arn, _)| arn == group).map(|(_, weight)| *weight)?;
        let all: u32 = self.groups.iter().map(|(_, weight)| *weight).sum();
        // One group gets everything, whatever its weight; among several that all have none, nobody gets anything.
        if self.groups.len() == 1 { Some(100) } else { Some((weight * 100).checked_div(all).unwrap_or(0)) }
    }

    /// Hosts and paths in a line, as one would type them: `api.example.org/v1/*`, `*:8443` for a rule without conditions.
    #[must_use]
    pub fn address(&self) -> String {
        let hosts = if self.hosts.is_empty() { format!("*:{}", self.port) } else { self.hosts.join(" ") };
        let paths = self.paths.join(" ");
        let others = if self.others.is_empty() { String::new() } else { format!(" [{}]", self.others.join(", ")) };
        let joint = if self.paths.len() > 1 || (self.hosts.len() > 1 && !paths.is_empty()) { " " } else { "" };
        format!("{hosts}{joint}{paths}{others}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(groups: &[(&str, u32)]) -> Route {
        Route { port: 443, groups: groups.iter().map(|(arn, weight)| (Arn::from(*arn), *weight)).collect(), ..Route::default() }
    }

    #[test]
    fn weights_are_relative_and_a_single_group_gets_everything() {
        assert_eq!(route(&[("a", 0)]).share(&Arn::from("a")), Some(100));
        let canary = route(&[("blue", 90), ("green", 10)]);
        assert_eq!((canary.share(&Arn::from("green")), canary.share(&Arn::from("red"))), (Some(10), None));
        assert_eq!(route(&[("a", 0), ("b", 0)]).share(&Arn::from("a")), Some(0));
    }

    #[test]
    fn an_address_reads_as_it_would_be_typed() {
        let hosts = Route { hosts: vec!["api.example.org".into()], paths: vec!["/v1/*".into()], ..route(&[]) };
        assert_eq!(hosts.address(), "api.example.org/v1/*");
        assert_eq!(route(&[]).address(), "*:443");
    }
}
