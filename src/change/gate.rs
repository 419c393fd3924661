//! The gate that every write passes: read-only runs and contexts, production that is locked until it is armed, and what AWS has refused.
//!
//! [`Gate`] is the one that `aws` asks before it sends anything, whatever key was pressed. [`Rules`] is what it goes by, a plain value:
//! the screen holds a copy of it, so that the header and the dialog say what the gate would say without asking it.

use super::Call;
use crate::config::Config;
use crate::model::{Arn, Ctx, Fleet, Identity, Str, Time};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Seconds for which a refusal of AWS is taken as an answer to the same request. Rights change seldom, but they change.
const REFUSED_SECONDS: i64 = 600;

/// Longest time for which production is armed.
pub const LONGEST: Duration = Duration::from_hours(8);

/// Whether a context takes writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Open,
    /// It does, for a while.
    Armed {
        /// Until then.
        until: Time,
    },
    /// It does not.
    Locked {
        /// Why.
        why: Why,
    },
}

/// Why a context takes no writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The program was started with `--read-only`.
    Flag,
    /// `READ_ONLY` is set in the environment.
    Environment,
    /// The configuration says so.
    Configured,
    /// It is production and not armed.
    Production,
    /// Its account is not known yet, so it counts as production, and it is not armed.
    UnknownAccount,
    /// Nobody has said yet which contexts may be written to.
    Unsettled,
}

impl Why {
    /// The reason, to follow "read-only:".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Why::Flag => "the program was started with --read-only",
            Why::Environment => "READ_ONLY is set in the environment",
            Why::Configured => "the configuration says read_only",
            Why::Production => "production is locked until :write 15m arms it",
            Why::UnknownAccount => "the account is not known, so it counts as production, which :write 15m arms",
            Why::Unsettled => "the program has not settled yet what may be written to",
        }
    }

    /// Whether `:write` opens it.
    #[must_use]
    pub fn can_be_armed(self) -> bool {
        matches!(self, Why::Production | Why::UnknownAccount)
    }
}

/// What the gate knows of one context.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rule {
    name: Str,
    production: Option<bool>,
    read_only: bool,
    identity: Option<Arc<Identity>>,
    armed_until: Option<Time>,
}

/// A write that AWS refused for want of a permission.
#[derive(Clone, Debug, PartialEq)]
struct Refusal {
    ctx: Ctx,
    action: Str,
    target: Str,
    said: Str,
    at: Time,
}

/// What the gate goes by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    forced: Option<Why>,
    dry_run: bool,
    config: Arc<Config>,
    contexts: Vec<Rule>,
    refusals: Vec<Refusal>,
}

/// What is to be written, as far as the gate cares.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Where.
    pub ctx: Ctx,
    /// In which cluster, where the call names one.
    pub cluster: Option<&'a Arn>,
    /// IAM's action.
    pub action: &'a str,
    /// What it acts on: a refusal holds for this alone, since policies name resources.
    pub target: &'a str,
}

impl Rules {
    /// The rules for the contexts of a fleet. `read_only` tells for each context whether the configuration locks it.
    #[must_use]
    pub fn new(config: &Config, fleet: &Fleet, read_only: &[bool]) -> Rules {
        let rule = |(n, context): (usize, &crate::model::Context)| Rule {
            name: context.name.clone(),
            production: context.production,
            read_only: read_only.get(n).copied().unwrap_or(false),
            ..Rule::default()
        };
        Rules { config: Arc::new(config.clone()), contexts: fleet.0.iter().enumerate().map(rule).collect(), ..Rules::default() }
    }

    /// Locks every context for good, for this reason.
    #[must_use]
    pub fn locked(self, why: Option<Why>) -> Rules {
        Rules { forced: why, ..self }
    }

    /// Lets nothing out: what would be sent is only written into the journal.
    #[must_use]
    pub fn dry(self, dry_run: bool) -> Rules {
        Rules { dry_run, ..self }
    }

    /// Whether nothing is sent at all.
    #[must_use]
    pub fn dry_run(&self) -> bool {
        self.dry_run
    }

    /// Who the caller of a context is, when AWS has told.
    #[must_use]
    pub fn identity(&self, ctx: Ctx) -> Option<&Identity> {
        self.contexts.get(usize::from(ctx.0))?.identity.as_deref()
    }

    /// How a context stands, or one cluster in it, which its name may make production.
    #[must_use]
    pub fn standing(&self, ctx: Ctx, cluster: Option<&Arn>, now: Time) -> Standing {
        let Some(rule) = self.contexts.get(usize::from(ctx.0)) else { return Standing::Locked { why: Why::Unsettled } };
        if let Some(why) = self.forced {
            return Standing::Locked { why };
        }
        if rule.read_only {
            return Standing::Locked { why: Why::Configured };
        }
        let Some(why) = self.production(rule, cluster) else { return Standing::Open };
        match rule.armed_until {
            Some(until) if now < until => Standing::Armed { until },
            _ => Standing::Locked { why },
        }
    }

    /// Why it is production, if it is: by the rules of [`crate::view::Cx::production`].
    fn production(&self, rule: &Rule, cluster: Option<&Arn>) -> Option<Why> {
        if let Some(told) = rule.production {
            return told.then_some(Why::Production);
        }
        let account = rule.identity.as_ref().map(|identity| &*identity.account).or(cluster.map(Arn::account));
        let account = account.filter(|account| !account.is_empty());
        let names = [Some(&*rule.name), account, cluster.map(Arn::name)];
        if names.into_iter().flatten().any(|name| self.config.is_production(name)) {
            return Some(Why::Production);
        }
        account.is_none().then_some(Why::UnknownAccount)
    }

    /// What AWS said when it refused the same lately.
    #[must_use]
    pub fn refused(&self, asked: Asked, now: Time) -> Option<&Str> {
        let same = |refusal: &&Refusal| {
            refusal.ctx == asked.ctx
                && *refusal.action == *asked.action
                && *refusal.target == *asked.target
                && now.as_second() - refusal.at.as_second() < REFUSED_SECONDS
        };
        self.refusals.iter().find(same).map(|refusal| &refusal.said)
    }

    /// What AWS refused of a call lately.
    #[must_use]
    pub fn refused_call(&self, ctx: Ctx, call: &Call, now: Time) -> Option<&Str> {
        let (cluster, target) = (call.cluster(), call.target());
        self.refused(Asked { ctx, cluster: cluster.as_ref(), action: call.action(), target: &target }, now)
    }

    /// IAM's actions that AWS refused in a context lately, each once.
    #[must_use]
    pub fn denied(&self, ctx: Ctx, now: Time) -> Vec<&str> {
        let fresh = |refusal: &&Refusal| refusal.ctx == ctx && now.as_second() - refusal.at.as_second() < REFUSED_SECONDS;
        let mut actions: Vec<&str> = self.refusals.iter().filter(fresh).map(|refusal| &*refusal.action).collect();
        actions.sort_unstable();
        actions.dedup();
        actions
    }

    /// Whether a write may pass.
    ///
    /// # Errors
    /// Why not, to follow a colon.
    pub fn check(&self, asked: Asked, now: Time) -> Result<(), String> {
        if let Standing::Locked { why } = self.standing(asked.ctx, asked.cluster, now) {
            return Err(format!("read-only: {}", why.words()));
        }
        if let Some(said) = self.refused(asked, now) {
            return Err(format!("AWS has just refused this: {said} · :write tries again"));
        }
        if self.dry_run {
            return Err("dry run: nothing is sent".to_owned());
        }
        Ok(())
    }
}

/// Where all writes pass. Cheap to clone; all clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<(Rules, u64)>>);

impl Gate {
    /// Takes other rules. Until the first ones, everything is locked.
    pub fn set(&self, rules: Rules) {
        self.change(|old| *old = rules);
    }

    /// The rules as they are, for whoever must not wait, with a number that grows with each change.
    #[must_use]
    pub fn rules(&self) -> (Rules, u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Grows with each change of the rules.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// How a context stands.
    #[must_use]
    pub fn state(&self, ctx: Ctx, now: Time) -> Standing {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.standing(ctx, None, now)
    }

    /// Lets production of a context be written to for a while, and forgets what AWS refused there. No time at all locks it again.
    ///
    /// # Errors
    /// Why it stays locked.
    pub fn arm(&self, ctx: Ctx, time: Duration, now: Time) -> Result<Standing, String> {
        let seconds = i64::try_from(time.min(LONGEST).as_secs()).unwrap_or(0);
        let until = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
        self.change(|rules| {
            rules.refusals.retain(|refusal| refusal.ctx != ctx);
            if let Some(rule) = rules.contexts.get_mut(usize::from(ctx.0)) {
                rule.armed_until = (seconds > 0).then_some(until);
            }
        });
        match self.state(ctx, now) {
            Standing::Locked { why } if seconds > 0 => Err(why.words().to_owned()),
            standing => Ok(standing),
        }
    }

    /// AWS told who the caller is.
    pub fn learn_identity(&self, ctx: Ctx, identity: &Arc<Identity>) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).0.identity(ctx) == Some(&**identity);
        if !known {
            self.change(|rules| {
                if let Some(rule) = rules.contexts.get_mut(usize::from(ctx.0)) {
                    rule.identity = Some(Arc::clone(identity));
                }
            });
        }
    }

    /// AWS refused a write.
    pub fn learn_refusal(&self, asked: Asked, said: &Str, now: Time) {
        self.change(|rules| {
            rules.refusals.retain(|known| {
                let same = known.ctx == asked.ctx && *known.action == *asked.action && *known.target == *asked.target;
                !same && now.as_second() - known.at.as_second() < REFUSED_SECONDS
            });
            let (action, target) = (asked.action.into(), asked.target.into());
            rules.refusals.push(Refusal { ctx: asked.ctx, action, target, said: said.clone(), at: now });
        });
    }

    /// The next answers may be given to somebody else.
    pub fn forget(&self, ctx: Ctx) {
        self.change(|rules| {
            rules.refusals.retain(|refusal| refusal.ctx != ctx);
            if let Some(rule) = rules.contexts.get_mut(usize::from(ctx.0)) {
                rule.identity = None;
            }
        });
    }

    /// Whether a write may pass.
    ///
    /// # Errors
    /// Why not, to follow a colon.
    pub fn check(&self, asked: Asked, now: Time) -> Result<(), String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.check(asked, now)
    }

    fn change(&self, change: impl FnOnce(&mut Rules)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state.0);
        state.1 += 1;
    }
}

#[cfg(test)]
mod tests;
