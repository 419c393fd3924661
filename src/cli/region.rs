//! Region names: those that are known, and what a new one would look like.
//!
//! AWS adds regions, so a name is refused only when its words are not words of regions.

use crate::nearest;

/// Regions of the commercial, Chinese, US government and European sovereign partitions, as of November 2026.
const REGIONS: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

const DIRECTIONS: &[&str] = &["north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"];

/// Accepts what is a region or could be a new one.
///
/// # Errors
/// What a region looks like, and the nearest one.
pub fn check(text: &str) -> Result<String, String> {
    if REGIONS.contains(&text) || could_be(text) {
        return Ok(text.to_owned());
    }
    Err(match nearest::nearest(text, REGIONS.iter().copied()) {
        Some(region) => format!("did you mean {region}?"),
        None => "a region looks like eu-west-1".to_owned(),
    })
}

fn could_be(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [area @ .., direction, number] = parts.as_slice() else { return false };
    let areas = (1..=2).contains(&area.len())
        && area.iter().all(|part| (2..=4).contains(&part.len()) && part.chars().all(|c| c.is_ascii_lowercase()));
    areas && DIRECTIONS.contains(direction) && number.len() == 1 && number.chars().all(|c| c.is_ascii_digit() && c != '0')
}
