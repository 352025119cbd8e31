//! Owns what follows from a look at an index: concurrent builds and drops leave
//! traces that a transaction would not, so each is probed before and after.

mod duplicates;
mod tree;

use crate::core::sql::may_be_same_index;
use crate::core::step::IndexBuild;

pub use duplicates::UniqueKeys;
pub use tree::{Branch, Part, below, name_in, parts};

/// What the catalog says about an index of a given name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// There is none.
    Absent,
    /// There is one, on the table that was asked for.
    Found(Found),
    /// There is one on another table, or another relation has the name; what it is.
    Taken(String),
}

/// An index that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `indisvalid AND indisready`: the planner uses it, and it holds every row.
    pub valid: bool,
    /// Its definition, as the server prints it.
    pub definition: String,
    /// Whether it is that of a partitioned table.
    pub partitioned: bool,
    /// The backend that is building it now.
    pub builder: Option<i32>,
}

/// What to do about an index that is wanted.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToBuild {
    /// Build it.
    Build,
    /// An invalid leftover is there: drop it, then look again.
    DropFirst,
    /// It is there.
    Done,
    /// Another session is building it.
    Busy(i32),
    /// The name means something else; what.
    Refuse(String),
}

/// Whether an index may be the one that a build makes; what cannot be read is taken for what it
/// is called.
#[must_use]
pub fn is_of(build: &IndexBuild, found: &Found) -> bool {
    may_be_same_index(&build.create, &found.definition).unwrap_or(true)
}

/// Decides how to get an index. `begun`: an earlier attempt of ours is on
/// record, so a valid index of this name is its work. One that is made in another way is
/// somebody else's, valid or not.
pub fn to_build(probe: &Probe, begun: bool, build: &IndexBuild) -> ToBuild {
    match probe {
        Probe::Absent => ToBuild::Build,
        Probe::Taken(what) => ToBuild::Refuse(format!("the name is taken by {what}")),
        Probe::Found(Found { builder: Some(pid), .. }) => ToBuild::Busy(*pid),
        Probe::Found(found) if !found.valid && is_of(build, found) => ToBuild::DropFirst,
        Probe::Found(found) if begun && is_of(build, found) => ToBuild::Done,
        Probe::Found(found) => {
            let invalid = if found.valid { "" } else { ", which is not valid, and not of this step" };
            ToBuild::Refuse(format!(
                "an index of this name is there already{invalid}: {}; give this one another name, or drop that one first",
                found.definition
            ))
        }
    }
}

/// What to do about an index that is not wanted any more.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToDrop {
    /// Drop it.
    Drop,
    /// It is gone.
    Done,
    /// Another session is building it.
    Busy(i32),
    /// It cannot be dropped; why.
    Refuse(String),
}

/// Decides how to get rid of an index. `begun`: an earlier attempt of ours is
/// on record, so that its absence is the outcome and not a mistake.
pub fn to_drop(probe: &Probe, begun: bool) -> ToDrop {
    match probe {
        Probe::Absent if begun => ToDrop::Done,
        Probe::Absent => ToDrop::Refuse("there is no such index".into()),
        Probe::Taken(what) => ToDrop::Refuse(format!("the name is taken by {what}")),
        Probe::Found(Found { builder: Some(pid), .. }) => ToDrop::Busy(*pid),
        Probe::Found(_) => ToDrop::Drop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ident::QName;

    /// What a probe leads to where an index on t (a) is wanted.
    fn decide(probe: &Probe, begun: bool) -> ToBuild {
        let name = |name: &str| QName::parse(name).unwrap();
        let create = "CREATE INDEX CONCURRENTLY x ON t (a)".into();
        let build = IndexBuild { table: name("t"), name: name("x").name, create, unique: false };
        to_build(probe, begun, &build)
    }

    fn found(valid: bool, builder: Option<i32>) -> Probe {
        Probe::Found(Found {
            valid,
            definition: "CREATE INDEX x ON t (a)".into(),
            partitioned: false,
            builder,
        })
    }

    #[test]
    fn an_invalid_leftover_is_dropped_unless_it_is_being_built() {
        assert_eq!(decide(&found(false, None), false), ToBuild::DropFirst);
        assert_eq!(decide(&found(false, None), true), ToBuild::DropFirst);
        assert_eq!(decide(&found(false, Some(7)), true), ToBuild::Busy(7));
        assert_eq!(to_drop(&found(false, Some(7)), true), ToDrop::Busy(7));
    }

    #[test]
    fn a_valid_index_is_ours_only_after_an_attempt_of_ours() {
        assert_eq!(decide(&found(true, None), true), ToBuild::Done);
        assert!(matches!(decide(&found(true, None), false), ToBuild::Refuse(_)));
    }

    #[test]
    fn an_index_on_other_columns_is_never_ours() {
        for valid in [true, false] {
            let Probe::Found(of) = found(valid, None) else { unreachable!() };
            let other =
                Probe::Found(Found { definition: "CREATE INDEX x ON t USING btree (b)".into(), ..of });
            assert!(matches!(decide(&other, true), ToBuild::Refuse(_)));
            assert!(matches!(decide(&other, false), ToBuild::Refuse(_)));
        }
    }

    #[test]
    fn absence_is_an_outcome_only_after_an_attempt_of_ours() {
        assert_eq!(to_drop(&Probe::Absent, true), ToDrop::Done);
        assert!(matches!(to_drop(&Probe::Absent, false), ToDrop::Refuse(_)));
    }
}
