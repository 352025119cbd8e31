//! Owns how the names of other tools become versions, and that they keep their order.

use super::{Foreign, Tool};
use crate::core::version::{MAX_DIGITS, Version};

/// The versions of migrations that stand in their tool's order: the digits of their names;
/// where a name has none, all are counted through.
pub(super) fn versions(tool: Tool, migrations: &[Foreign]) -> Result<Vec<Version>, Vec<String>> {
    let by_place = migrations.iter().any(|one| one.digits.is_none());
    let mut faults = Vec::new();
    let mut versions = Vec::with_capacity(migrations.len());
    for (place, one) in migrations.iter().enumerate() {
        let digits = match &one.digits {
            Some(digits) if !by_place => digits.clone(),
            _ => (place + 1).to_string(),
        };
        match Version::parse(&digits) {
            Some(version) => versions.push(version),
            None => faults.push(format!(
                "{}: {digits} is no version here, which has {MAX_DIGITS} digits at most",
                one.called
            )),
        }
    }
    if faults.is_empty() {
        faults.extend(twice(migrations, &versions));
        faults.extend(out_of_order(tool, migrations, &versions));
    }
    if faults.is_empty() { Ok(versions) } else { Err(faults) }
}

fn twice(migrations: &[Foreign], versions: &[Version]) -> Vec<String> {
    let mut sorted: Vec<(&Version, &Foreign)> = versions.iter().zip(migrations).collect();
    sorted.sort_by(|a, b| a.0.cmp(b.0));
    let same = sorted.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    same.map(|pair| {
        format!(
            "{} and {} would both be version {}: no two files may have one version",
            pair[0].1.called, pair[1].1.called, pair[0].0
        )
    })
    .collect()
}

/// What is pending and would run before something that its tool runs first, or after what it runs later.
fn out_of_order(tool: Tool, migrations: &[Foreign], versions: &[Version]) -> Vec<String> {
    let all: Vec<(&Version, &Foreign)> = versions.iter().zip(migrations).collect();
    let wrong =
        all.windows(2).filter(|pair| pair[0].0 > pair[1].0 && !(pair[0].1.applied && pair[1].1.applied));
    wrong
        .map(|pair| {
            format!(
                "{} runs {} before {}, and by their numbers they would run the other way round: run them there first \
                 ({}), or rename the pending one",
                tool.title(),
                pair[0].1.called,
                pair[1].1.called,
                tool.finish()
            )
        })
        .collect()
}

/// The digits that a name begins with, and what comes after them and `-` or `_`.
pub(super) fn split(name: &str) -> (Option<String>, String) {
    let end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    let (digits, rest) = name.split_at(end);
    let rest = rest.trim_start_matches(['-', '_', '.', ' ']);
    if digits.is_empty() { (None, name.into()) } else { (Some(digits.into()), rest.into()) }
}

#[cfg(test)]
mod tests {
    use super::super::Body;
    use super::*;

    fn one(called: &str, applied: bool) -> Foreign {
        let (digits, name) = split(called);
        Foreign { called: called.into(), digits, name, applied, body: Body::Missing }
    }

    fn read(names: &[(&str, bool)]) -> Result<Vec<String>, Vec<String>> {
        let all: Vec<Foreign> = names.iter().map(|(name, applied)| one(name, *applied)).collect();
        versions(Tool::Knex, &all).map(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn digits_stay_as_they_are_written() {
        assert_eq!(
            read(&[("0001_a.js", true), ("20230101000000-b.js", false)]),
            Ok(vec!["0001".into(), "20230101000000".into()])
        );
        assert_eq!(
            split("20230101000000-create-users"),
            (Some("20230101000000".into()), "create-users".into())
        );
    }

    #[test]
    fn without_digits_all_are_counted() {
        assert_eq!(read(&[("init.js", true), ("20230101_b.js", true)]), Ok(vec!["1".into(), "2".into()]));
    }

    #[test]
    fn collisions_are_named() {
        let faults = read(&[("1_a.js", true), ("01_b.js", true)]).unwrap_err();
        assert_eq!(faults, ["1_a.js and 01_b.js would both be version 1: no two files may have one version"]);
        let long = read(&[("1234567890123456789_a.js", true)]).unwrap_err();
        assert!(long[0].contains("18 digits at most"), "{long:?}");
    }

    #[test]
    fn another_order_matters_only_where_something_is_to_run() {
        assert!(read(&[("10_a.js", true), ("2_b.js", true)]).is_ok());
        let faults = read(&[("10_a.js", true), ("2_b.js", false)]).unwrap_err();
        assert!(faults[0].starts_with("Knex runs 10_a.js before 2_b.js"), "{faults:?}");
    }
}
