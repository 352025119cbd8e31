//! Owns what follows from a look at an index: concurrent builds and drops leave
//! traces that a transaction would not, so each is probed before and after.

mod duplicates;
mod tree;

pub use duplicates::UniqueKeys;
pub use tree::{Branch, Part, below, parts};

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
    /// Whether it is unique.
    pub unique: bool,
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

/// Decides how to get an index. `begun`: an earlier attempt of ours is on
/// record, so a valid index of this name is its work.
pub fn to_build(probe: &Probe, begun: bool, unique: bool) -> ToBuild {
    match probe {
        Probe::Absent => ToBuild::Build,
        Probe::Taken(what) => ToBuild::Refuse(format!("the name is taken by {what}")),
        Probe::Found(Found { builder: Some(pid), .. }) => ToBuild::Busy(*pid),
        Probe::Found(found) if !found.valid => ToBuild::DropFirst,
        Probe::Found(found) if begun && found.unique == unique => ToBuild::Done,
        Probe::Found(found) => {
            ToBuild::Refuse(format!("an index of this name is there already: {}", found.definition))
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

    fn found(valid: bool, builder: Option<i32>) -> Probe {
        Probe::Found(Found {
            valid,
            definition: "CREATE INDEX x ON t (a)".into(),
            unique: false,
            partitioned: false,
            builder,
        })
    }

    #[test]
    fn an_invalid_leftover_is_dropped_unless_it_is_being_built() {
        assert_eq!(to_build(&found(false, None), false, false), ToBuild::DropFirst);
        assert_eq!(to_build(&found(false, None), true, false), ToBuild::DropFirst);
        assert_eq!(to_build(&found(false, Some(7)), true, false), ToBuild::Busy(7));
        assert_eq!(to_drop(&found(false, Some(7)), true), ToDrop::Busy(7));
    }

    #[test]
    fn a_valid_index_is_ours_only_after_an_attempt_of_ours() {
        assert_eq!(to_build(&found(true, None), true, false), ToBuild::Done);
        assert!(matches!(to_build(&found(true, None), false, false), ToBuild::Refuse(_)));
        assert!(matches!(to_build(&found(true, None), true, true), ToBuild::Refuse(_)));
    }

    #[test]
    fn absence_is_an_outcome_only_after_an_attempt_of_ours() {
        assert_eq!(to_drop(&Probe::Absent, true), ToDrop::Done);
        assert!(matches!(to_drop(&Probe::Absent, false), ToDrop::Refuse(_)));
    }
}
