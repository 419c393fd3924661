//! `[fleet]`: many alike services by numbers, for scenarios whose point is size.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use toml::Spanned;

/// `[fleet]`. Services are dealt out evenly over the clusters and tasks over the services.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// Context whose account and region hold it.
    pub context: Spanned<String>,
    /// Number of clusters.
    pub clusters: Spanned<Count>,
    /// Number of services.
    pub services: Spanned<Count>,
    /// Number of tasks.
    pub tasks: Spanned<Count>,
    /// Services of which one task stays unhealthy in its target group.
    #[serde(default)]
    pub unhealthy: Option<Spanned<Count>>,
    /// Services that a deployment runs through, one after the other, for ever.
    #[serde(default)]
    pub rolling: Option<Spanned<Count>>,
}

/// A number, or the name of a parameter as `"$name"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// A number.
    Number(u32),
    /// A parameter.
    Parameter(String),
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrName;
        impl Visitor<'_> for NumberOrName {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a parameter such as \"$services\"")
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Count, E> {
                u32::try_from(n).map(Count::Number).map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Count, E> {
                text.strip_prefix('$')
                    .map(|name| Count::Parameter(name.to_owned()))
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(NumberOrName)
    }
}
