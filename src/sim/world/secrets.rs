//! Which secrets and parameters an estate holds: those that task definitions refer to, unless a scenario has taken them away.

use super::state::Estate;
use crate::sim::scenario::Fate;

impl Estate {
    /// Whether there is a parameter of this name or path, without a slash before it.
    #[must_use]
    pub fn holds_parameter(&self, name: &str) -> bool {
        !self.lacks(name) && self.references().any(|from| !from.contains(":secretsmanager:") && secret_name(from) == name)
    }

    /// ARN of the secret that a name or an ARN means, with or without the six characters at the end, if it is there.
    #[must_use]
    pub fn held_secret(&self, id: &str) -> Option<String> {
        let name = secret_name(id);
        let bare = id.rsplit_once(":secret:").map_or(id, |(_, tail)| tail);
        let fits = |own: &str| own == name || own == bare;
        let from = self.references().find(|from| from.contains(":secretsmanager:") && fits(secret_name(from)))?;
        // `valueFrom` may go on with a key, a stage and a version.
        let arn: Vec<&str> = from.splitn(8, ':').take(7).collect();
        (!self.lacks(secret_name(from))).then(|| arn.join(":"))
    }

    /// Whether somebody took it away, or a revision fails for want of it.
    fn lacks(&self, name: &str) -> bool {
        let mut failing = self.families.values().flatten().filter(|definition| definition.behaviour.fate == Fate::SecretMissing);
        let wants = failing.any(|definition| {
            let mut all = definition.containers.iter().flat_map(|c| &c.secrets);
            let named = all.clone().find(|(variable, _)| definition.behaviour.secret.as_ref() == Some(variable));
            named.or_else(|| all.next()).is_some_and(|(_, from)| secret_name(from) == name)
        });
        wants || self.absent.contains(name)
    }

    /// Every `valueFrom` of every revision.
    fn references(&self) -> impl Iterator<Item = &str> {
        let containers = self.families.values().flatten().flat_map(|definition| &definition.containers);
        containers.flat_map(|c| &c.secrets).map(|(_, from)| from.as_str())
    }
}

/// The name of a parameter, or the name of a secret without the six characters of Secrets Manager's own.
pub(super) fn secret_name(from: &str) -> &str {
    if let Some((_, name)) = from.split_once(":parameter/") {
        return name;
    }
    let Some((_, name)) = from.split_once(":secret:") else { return from.trim_start_matches('/') };
    let name = name.split(':').next().unwrap_or(name);
    match name.rsplit_once('-') {
        Some((stem, ending)) if ending.len() == 6 => stem,
        _ => name,
    }
}
