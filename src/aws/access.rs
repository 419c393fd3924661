//! What a role may and may not do, as AWS's own answers tell. There is no way to ask for it: policies may not be read by those they bind.

use super::AwsError;
use crate::feed::Learnt;
use crate::model::Str;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What the answers so far have told.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    /// By IAM's action: what AWS said when it refused, nothing when it answered.
    known: HashMap<Str, Option<Str>>,
    /// What nobody has heard yet.
    news: Vec<Learnt>,
}

impl Ledger {
    /// A call was answered: its action is allowed.
    pub(super) fn allowed(&self, action: &str) {
        self.note(action, None);
    }

    /// A call was refused for want of a permission.
    pub(super) fn denied(&self, error: &AwsError) {
        self.note(&error.action, Some(error.what.clone()));
    }

    fn note(&self, action: &str, denied: Option<Str>) {
        let mut ledger = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The sentence may differ from call to call; what matters is the turn.
        if ledger.known.get(action).is_some_and(|known| known.is_some() == denied.is_some()) {
            return;
        }
        ledger.known.insert(action.into(), denied.clone());
        ledger.news.push(Learnt { action: action.into(), denied });
    }

    /// What nobody has heard yet.
    pub(super) fn news(&self) -> Vec<Learnt> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).news)
    }

    /// The next answers may be somebody else's.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Pages::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ErrorKind;
    use crate::aws::failure::{Doing, failure};

    #[test]
    fn only_what_turns_is_news() {
        let ledger = Ledger::default();
        ledger.allowed("ecs:ListServices");
        ledger.allowed("ecs:ListServices");
        let doing = Doing { action: "ecs:ListServices", what: "list", profile: None };
        ledger.denied(&failure(ErrorKind::Denied, doing, "no", ""));
        let told: Vec<(Str, bool)> = ledger.news().into_iter().map(|learnt| (learnt.action, learnt.denied.is_some())).collect();
        assert_eq!(told, [("ecs:ListServices".into(), false), ("ecs:ListServices".into(), true)]);
        assert!(ledger.news().is_empty());
        ledger.forget();
        ledger.denied(&failure(ErrorKind::Denied, doing, "no", ""));
        assert_eq!(ledger.news().len(), 1);
    }
}
