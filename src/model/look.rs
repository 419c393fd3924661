//! What only IAM, EC2 and KMS can tell of a task: rights of roles, the way out of a subnet, the state of a key. It says nothing of what
//! follows for a session.

use super::Str;
use std::sync::Arc;

/// One thing to be looked at, once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    /// What the policies of a user or role allow.
    Rights(Arc<RightsAsked>),
    /// An EC2 instance by its id.
    Instance(Str),
    /// An instance profile by its name.
    Profile(Str),
    /// A subnet by its id.
    Subnet(Str),
    /// The endpoints of a VPC by its id.
    Endpoints(Str),
    /// Where a subnet's packets go.
    Routes {
        /// By its id.
        subnet: Str,
        /// Its VPC, whose main table it uses when it has none of its own.
        vpc: Str,
    },
    /// A key by id, alias or ARN, as the cluster names it.
    Key(Str),
}

/// A question to IAM's policy simulator. Conditions on what is not in `context` and policies of resources are not part of its answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RightsAsked {
    /// ARN of the user or role. A role's path may be missing, as in the ARN of a session of it.
    pub who: Str,
    /// In IAM's words.
    pub actions: Vec<Str>,
    /// ARNs; any resource when there is none.
    pub resources: Vec<Str>,
    /// Values of condition keys that the call will have.
    pub context: Vec<(Str, Str)>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// For [`Look::Rights`]: one for each action and resource.
    Rights(Vec<Right>),
    /// For [`Look::Instance`].
    Instance(Ec2Instance),
    /// For [`Look::Profile`]: the role's ARN, if there is a role in it.
    Profile(Option<Str>),
    /// For [`Look::Subnet`].
    Subnet(Subnet),
    /// For [`Look::Endpoints`].
    Endpoints(Vec<Endpoint>),
    /// For [`Look::Routes`].
    Routes(Vec<WayOut>),
    /// For [`Look::Key`].
    Key(KmsKey),
}

/// What the simulator says of one action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// In IAM's words.
    pub action: Str,
    /// ARN, or `*`.
    pub resource: Str,
    /// How it came out.
    pub decision: Decision,
    /// Condition keys that a statement asks for and the question did not have.
    pub missing: Vec<Str>,
    /// The policies of the organisation do not allow it.
    pub by_organization: bool,
    /// The permissions boundary does not allow it.
    pub by_boundary: bool,
}

/// How an action came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
}

/// An EC2 instance, as far as sessions on it go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ec2Instance {
    /// Name of its instance profile.
    pub profile: Option<Str>,
    /// The subnet of its first network interface.
    pub subnet: Option<Str>,
    /// Whether it has a public address.
    pub public: bool,
}

/// A subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subnet {
    /// Its VPC.
    pub vpc: Str,
    /// The account that it belongs to; another one shares it.
    pub owner: Str,
}

/// An endpoint in a VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// `vpce-…`.
    pub id: Str,
    /// As in `com.amazonaws.eu-west-1.ssmmessages`.
    pub service: Str,
    /// `Interface`, `Gateway` and others.
    pub kind: Str,
    /// `available` once it works.
    pub state: Str,
    /// Whether the service's usual name leads to it.
    pub private_dns: bool,
}

/// A route that leaves the VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayOut {
    /// Destination, as in `0.0.0.0/0`, or a prefix list.
    pub to: Str,
    /// What it goes through, as in `nat-0a1b`.
    pub through: Str,
    /// Whether what it goes through is there; AWS calls it a black hole otherwise.
    pub works: bool,
}

/// A key of KMS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KmsKey {
    /// ARN.
    pub arn: Str,
    /// `Enabled`, `Disabled`, `PendingDeletion` and others.
    pub state: Str,
}
