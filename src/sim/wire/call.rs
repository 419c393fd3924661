//! One request from its bytes to its answer, in the order in which AWS refuses: unknown operation, no or unknown credentials,
//! expired, wrong signature, throttled, not allowed, unreadable, and only then whatever the service says.

use super::auth::expired;
use super::reply::{Body, Shape, Stamp, refuse};
use super::route::{self, Lost, Protocol, Route};
use super::{Shared, State, cbor, query};
use crate::sim::ecs::ApiError;
use crate::sim::exec::door::{self, Visitor};
use crate::sim::faults::{Kind, Verdict};
use crate::sim::sigv4::{self, Claim, Refusal, Signed};
use crate::sim::{Call, Received, autoscaling, cloudwatch, codedeploy, ec2, ecr, ecs, elbv2, exec, iam, kms, logs, ssm, sts, vault};
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use serde_json::{Value, json};
use std::sync::Arc;

/// A request that has arrived in full.
pub(super) struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    pub(super) claim: Result<Claim, Refusal>,
    route: Result<Route, Lost>,
}

impl Request {
    pub(super) fn new(head: &Parts, body: Bytes) -> Self {
        let headers: Vec<(String, String)> = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let find = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let claim = sigv4::claim(find("authorization"));
        let target = find("x-amz-target");
        let form = if target.is_none() { query::form(&body) } else { Value::Null };
        let scope = claim.as_ref().ok().map(|claim| claim.service.as_str());
        let route = route::route(target, head.uri.path(), &form, scope);
        Self {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers,
            body,
            claim,
            route,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn signed(&self) -> Signed<'_> {
        Signed { method: &self.method, path: &self.path, query: &self.query, headers: &self.headers, body: &self.body }
    }

    /// What is remembered of it.
    ///
    /// # Errors
    /// If it was for nobody.
    pub(super) fn kept(&self, call: &Call) -> Result<Kept, ()> {
        let route = *self.route.as_ref().map_err(|_| ())?;
        Ok(Kept {
            call: call.clone(),
            access_key: self.claim.as_ref().map_or_else(|_| String::new(), |claim| claim.access_key.clone()),
            user_agent: self.header("user-agent").unwrap_or_default().to_owned(),
            route,
            // A copy, for the bytes may be a corner of a large read buffer.
            body: Bytes::copy_from_slice(&self.body),
        })
    }

    /// The parameters as a value, whatever the protocol.
    fn parameters(&self, route: Route) -> Result<Value, ApiError> {
        let unreadable = |message: &str| refuse(400, "SerializationException", message);
        if route.cbor {
            let read = cbor::read(&self.body).filter(Value::is_object);
            return read.ok_or_else(|| unreadable("Unable to parse the request body as CBOR"));
        }
        match route.service.protocol {
            Protocol::Query { .. } | Protocol::Ec2 { .. } => Ok(query::form(&self.body)),
            Protocol::Socket => {
                let session = self.path.strip_prefix(door::PATH).unwrap_or_default();
                Ok(json!({"session": session, "query": self.query}))
            }
            Protocol::Json(_) | Protocol::Json10(_)
                if self.header("content-type").is_none_or(|kind| !kind.starts_with(route.service.protocol.content_type())) =>
            {
                Err(unreadable(&format!("Expected content-type {}", route.service.protocol.content_type())))
            }
            Protocol::Json(_) | Protocol::Json10(_) if self.body.is_empty() => Ok(Value::Object(serde_json::Map::new())),
            Protocol::Json(_) | Protocol::Json10(_) => match serde_json::from_slice(&self.body) {
                Ok(value @ Value::Object(_)) => Ok(value),
                Ok(_) => Err(unreadable("Start of structure or map found where not expected.")),
                Err(_) => Err(unreadable("Unable to parse the request body as JSON")),
            },
        }
    }
}

/// A request that was for one of ours, as it is remembered. It is read only when somebody asks.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    call: Call,
    access_key: String,
    user_agent: String,
    route: Route,
    body: Bytes,
}

impl Kept {
    pub(super) fn read(&self) -> Received {
        let parameters = match self.route.service.protocol {
            _ if self.route.cbor => cbor::read(&self.body).unwrap_or_default(),
            Protocol::Query { .. } | Protocol::Ec2 { .. } => query::form(&self.body),
            Protocol::Json(_) | Protocol::Json10(_) | Protocol::Socket => serde_json::from_slice(&self.body).unwrap_or_default(),
        };
        Received { call: self.call.clone(), access_key: self.access_key.clone(), user_agent: self.user_agent.clone(), parameters }
    }
}

/// What is known of a call before it is performed.
pub(super) struct Triage {
    pub(super) faults: Verdict,
    at_ms: i64,
    context: Arc<str>,
}

/// How the call ended inside a service.
enum Outcome {
    Value(Value),
    Tail(logs::tail::Request),
    /// A session that may begin.
    Session(exec::Order),
    /// The answer to the key of a handshake, and who comes in.
    Door(String, Visitor),
}

impl Shared {
    /// Finds out who calls and lets the fault rules judge. Calls that a fault leaves unanswered are recorded here.
    pub(super) fn triage(&self, request: &Request) -> Triage {
        let mut state = self.state();
        let at_ms = state.world.now();
        let name = request.claim.as_ref().ok().and_then(|claim| state.context(&claim.access_key));
        let context: Arc<str> = name.map_or_else(|| Arc::from(""), |context| Arc::from(context.name.as_str()));
        let Ok(route) = request.route.as_ref() else {
            return Triage { faults: Verdict::default(), at_ms, context };
        };
        let since_start = seconds_between(state.world.opened, at_ms);
        let faults = state.faults.judge(&context, &route.action(), since_start);
        let unanswered = match faults.strike {
            Some(Kind::Hang) => Some("hang"),
            Some(Kind::Reset) => Some("reset"),
            _ => None,
        };
        if let Some(fault) = unanswered {
            state.keep(record(Some(*route), &context, at_ms, 0, Some(fault)), request);
        }
        Triage { faults, at_ms, context }
    }

    /// Answers a request; never waits.
    pub(super) fn perform(self: &Arc<Self>, request: &Request, triage: Triage) -> Response<Body> {
        let mut state = self.state();
        let stamp = Stamp { request_id: state.request_id(), now: state.world.now() };
        let Triage { faults, at_ms, context } = triage;
        let (route, shape) = match &request.route {
            Ok(route) => (*route, Shape::of(*route)),
            Err(lost) => {
                let (shape, status, code, message) = lost_error(lost);
                state.remember(record(None, &context, at_ms, status, Some(code)));
                return stamp.failure(shape, status, code, &message);
            }
        };
        if faults.strike == Some(Kind::Malformed) {
            state.keep(record(Some(route), &context, at_ms, 200, Some("malformed")), request);
            return stamp.malformed(route);
        }
        if let Some(Kind::Error { code, message, status }) = &faults.strike {
            state.keep(record(Some(route), &context, at_ms, *status, Some(code)), request);
            return stamp.failure(shape, *status, code, message);
        }
        if route.is_door() && !door::is_local(request.header("host"), request.header("origin"), state.sessions.address.port()) {
            state.keep(record(Some(route), &context, at_ms, 403, Some("AccessDeniedException")), request);
            return stamp.failure(shape, 403, "AccessDeniedException", "This door is for programs of this machine.");
        }
        let mut outcome = state.outcome(request, route, faults.strike.as_ref());
        if shape == Shape::Ec2 {
            outcome = outcome.map_err(ec2::in_its_words);
        }
        let unheard = match &faults.strike {
            Some(Kind::LostReply) => Some("lost_reply"),
            Some(Kind::CutReply) => Some("cut_reply"),
            _ => None,
        };
        let (status, code) = match &outcome {
            Ok(Outcome::Door(..)) => (101, None),
            Ok(_) => (200, None),
            Err(error) => (error.status, Some(error.code)),
        };
        let (status, code) = unheard.map_or((status, code), |fault| (0, Some(fault)));
        state.keep(record(Some(route), &context, at_ms, status, code), request);
        match outcome {
            Ok(Outcome::Value(value)) => {
                // Writing a long answer does not need the world.
                drop(state);
                stamp.success(route, &value)
            }
            Ok(Outcome::Tail(tail)) => {
                drop(state);
                stamp.stream(logs::tail::open(Arc::clone(self), tail, stamp.request_id.clone()))
            }
            Ok(Outcome::Session(order)) => stamp.success(route, &exec::begin(self, &mut state.sessions, order)),
            Ok(Outcome::Door(accept, visitor)) => stamp.switch(&accept, visitor),
            Err(error) => stamp.failure(shape, error.status, error.code, &error.message),
        }
    }

    /// The answer to a request whose body cannot be had.
    pub(super) fn unread(&self, head: &Parts, status: u16, code: &'static str, message: &str) -> Response<Body> {
        let request = Request::new(head, Bytes::new());
        let mut state = self.state();
        let stamp = Stamp { request_id: state.request_id(), now: state.world.now() };
        let route = request.route.ok();
        state.remember(record(route, &Arc::from(""), stamp.now, status, Some(code)));
        stamp.failure(route.map_or(Shape::Json, Shape::of), status, code, message)
    }
}

impl State {
    fn outcome(&mut self, request: &Request, route: Route, strike: Option<&Kind>) -> Result<Outcome, ApiError> {
        let query = route.is_query();
        let (claim, context) = self.authenticate(request, route, query)?;
        let now = self.world.now();
        let (service, operation) = (route.service.name, route.operation);
        if strike == Some(&Kind::ExpiredToken) {
            return Err(expired(query));
        }
        let admitted = self.throttle.admit(&context.account, &claim.region, route.service.iam, operation, now);
        if !admitted || strike == Some(&Kind::Throttle) {
            let code = if query { "Throttling" } else { "ThrottlingException" };
            return Err(refuse(400, code, "Rate exceeded"));
        }
        let body = request.parameters(route)?;
        let action = route.action();
        let denied = |action: &str, resource: Option<&str>| {
            let message = iam::denial(&context.caller_arn(), action, resource);
            if query { refuse(403, "AccessDenied", message) } else { refuse(400, "AccessDeniedException", message) }
        };
        let estate = self.world.estate(&context.account, &claim.region);
        let need = iam::Need { service, operation, region: &claim.region, account: &context.account, body: &body, estate };
        if strike == Some(&Kind::Deny) {
            return Err(denied(&action, need.resources().first().map(String::as_str)));
        }
        if let Some((action, resource)) = need.refused_by(&context.policy) {
            return Err(denied(&action, resource.as_deref()));
        }
        let since_start = seconds_between(self.world.opened, now);
        if let Some((action, resource)) =
            need.beside().into_iter().find(|(action, _)| self.faults.denies(&context.name, action, since_start))
        {
            return Err(denied(&action, resource.as_deref()));
        }
        let seed = self.world.seed;
        if service == "sts" {
            return sts::handle(&mut self.roles, &self.world, &context, operation, &body).map(Outcome::Value);
        }
        if service == "iam" {
            return iam::handle(&self.world, &context, operation, &body).map(Outcome::Value);
        }
        if let ("ssmmessages", Some(session)) = (service, body.get("session").and_then(Value::as_str)) {
            let header = |name: &str| request.header(name).map(str::to_owned);
            if !self.sessions.has(&context.account, &claim.region, session, &request.query) {
                return Err(refuse(403, "AccessDeniedException", "The session does not exist, or its address was changed."));
            }
            let accept = door::accept(header).filter(|_| request.method == "GET");
            let accept = accept.ok_or_else(|| refuse(400, "BadRequestException", "This is no handshake of a WebSocket."))?;
            return Ok(Outcome::Door(accept, Visitor { session: session.to_owned() }));
        }
        let estate = self.world.estate_mut(&context.account, &claim.region);
        match service {
            "ecs" if operation == "ExecuteCommand" => ecs::execute(estate, &self.sessions, &body).map(Outcome::Session),
            "ssm" if operation == "StartSession" => ssm::start(estate, &self.sessions, &body).map(Outcome::Session),
            "ssm" if operation.ends_with("Session") => {
                ssm::handle(&mut self.sessions, operation, &body, &context.account, &claim.region).map(Outcome::Value)
            }
            "ecs" => ecs::handle(estate, &ecs::Caller { arn: context.caller_arn() }, operation, &body).map(Outcome::Value),
            "kms" => kms::handle(&self.sessions.kms, estate, operation, &body).map(Outcome::Value),
            "elasticloadbalancing" => elbv2::handle(estate, operation, &body).map(Outcome::Value),
            "ec2" => ec2::handle(estate, operation, &body).map(Outcome::Value),
            "ecr" => ecr::handle(estate, operation, &body).map(Outcome::Value),
            "application-autoscaling" => autoscaling::handle(estate, operation, &body).map(Outcome::Value),
            "monitoring" => cloudwatch::handle(estate, operation, &body).map(Outcome::Value),
            "ssm" | "secretsmanager" => vault::handle(estate, operation, &body).map(Outcome::Value),
            "codedeploy" => codedeploy::handle(estate, operation, &body).map(Outcome::Value),
            _ if operation == "StartLiveTail" => {
                let open = self.tails.get(&(context.account.clone(), claim.region.clone())).copied().unwrap_or_default();
                logs::tail::request(estate, seed, now, open, &body).map(Outcome::Tail)
            }
            _ => logs::handle(estate, seed, now, operation, &body).map(Outcome::Value),
        }
    }
}

fn seconds_between(from_ms: i64, to_ms: i64) -> f64 {
    // Milliseconds of a virtual lifetime are far below what an f64 holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let seconds = (to_ms - from_ms) as f64 / 1000.0;
    seconds
}

fn lost_error(lost: &Lost) -> (Shape, u16, &'static str, String) {
    match lost {
        Lost::Target => (Shape::Json, 400, "UnknownOperationException", String::new()),
        Lost::Cbor => {
            (Shape::Cbor, 404, "UnknownOperationException", "The requested operation is not recognized by the service.".to_owned())
        }
        Lost::Action { namespace, message } => (Shape::Xml(namespace), 400, "InvalidAction", message.clone()),
        Lost::NoAction => (Shape::Xml(""), 400, "MissingAction", "The request must contain the parameter Action.".to_owned()),
    }
}

fn record(route: Option<Route>, context: &Arc<str>, at_ms: i64, status: u16, code: Option<&str>) -> Call {
    Call {
        context: Arc::clone(context),
        service: route.map_or("", |route| route.service.name),
        operation: route.map_or("", |route| route.operation),
        at_ms,
        status,
        error_code: code.map(str::to_owned),
    }
}
