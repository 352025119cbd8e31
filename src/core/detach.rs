//! Owns the concurrent detach of a partition: PostgreSQL does it in two transactions, and what
//! is interrupted between them stays pending until somebody finalizes it.

use crate::core::ident::QName;

/// A partition to detach concurrently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detach {
    /// The partitioned table.
    pub table: QName,
    /// Its partition.
    pub partition: QName,
    /// The whole statement.
    pub sql: String,
}

impl Detach {
    /// The statement that ends what was interrupted.
    #[must_use]
    pub fn finalize_sql(&self) -> String {
        format!("ALTER TABLE {} DETACH PARTITION {} FINALIZE", self.table, self.partition)
    }
}

/// How a table stands to the one whose partition it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The partitioned table is not there.
    Absent,
    /// The partition is not there: dropped, or under another name. `pending`: another partition of the
    /// table is half detached, which may be this one under a new name.
    Gone {
        /// See above.
        pending: bool,
    },
    /// It is its partition.
    Attached,
    /// Queries of the partitioned table read it no more, but it is not free yet
    /// (`inhdetachpending`, PostgreSQL 14+).
    Pending,
    /// It is a table of its own, or a partition of another one.
    Apart,
}

/// What to do about a partition that is to stand apart.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToDetach {
    /// Send the statement.
    Detach,
    /// The first half is done: send FINALIZE.
    Finalize,
    /// It stands apart.
    Done,
    /// Somebody took the partition away meanwhile, so that nothing is left to detach; what is known.
    Gone(String),
    /// It is not as the plan has it; what is.
    Refuse(String),
}

/// Decides how to get a partition apart. `begun`: an earlier attempt of ours is on record, so
/// that what is half done, or done, is its work.
pub fn to_detach(detach: &Detach, standing: Standing, begun: bool) -> ToDetach {
    let (table, partition) = (detach.table.plain(), detach.partition.plain());
    match standing {
        Standing::Attached => ToDetach::Detach,
        Standing::Pending if begun => ToDetach::Finalize,
        Standing::Apart if begun => ToDetach::Done,
        Standing::Pending => ToDetach::Refuse(format!(
            "somebody else has begun to detach {partition} from {table}, and it is pending: wait for them, or end it \
             with {}; what this step does is done then, so take it out of the plan",
            detach.finalize_sql()
        )),
        Standing::Apart => ToDetach::Refuse(format!("{partition} is no partition of {table}")),
        Standing::Gone { pending: true } if begun => ToDetach::Refuse(format!(
            "{partition} does not exist, and some partition of {table} is half detached: if it is this one under a new name, \
             give it its name back"
        )),
        Standing::Gone { .. } if begun => ToDetach::Gone(gone(detach)),
        Standing::Gone { .. } => ToDetach::Refuse(format!("{partition} does not exist")),
        Standing::Absent => ToDetach::Refuse(format!("{table} does not exist")),
    }
}

/// What is told of a partition that somebody took away while it was being detached.
#[must_use]
pub fn gone(detach: &Detach) -> String {
    let (table, partition) = (detach.table.plain(), detach.partition.plain());
    format!(
        "{partition} is not there any more: somebody dropped or renamed it while it was being detached, so nothing of \
         it is left in {table} under that name"
    )
}

/// What is told where it was interrupted between its two transactions.
#[must_use]
pub fn half_done(detach: &Detach) -> String {
    let (table, partition) = (detach.table.plain(), detach.partition.plain());
    format!(
        "{partition} is half detached: queries of {table} read it no more, and nothing can be attached or detached \
         there until the next run, or an abort, finalizes it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_half_done_is_finalized_only_where_it_is_ours() {
        let name = |name: &str| QName::parse(name).unwrap();
        let detach = Detach { table: name("p"), partition: name("p1"), sql: String::new() };
        let decide = |standing, begun| to_detach(&detach, standing, begun);
        for begun in [false, true] {
            assert_eq!(decide(Standing::Attached, begun), ToDetach::Detach);
            assert!(matches!(decide(Standing::Absent, begun), ToDetach::Refuse(_)));
        }
        // What is gone is over only where we had begun with it, and may not be there under another name.
        assert!(matches!(decide(Standing::Gone { pending: false }, true), ToDetach::Gone(_)));
        assert!(matches!(decide(Standing::Gone { pending: true }, true), ToDetach::Refuse(_)));
        assert!(matches!(decide(Standing::Gone { pending: false }, false), ToDetach::Refuse(_)));
        assert_eq!(decide(Standing::Pending, true), ToDetach::Finalize);
        assert_eq!(decide(Standing::Apart, true), ToDetach::Done);
        assert!(matches!(decide(Standing::Pending, false), ToDetach::Refuse(_)));
        assert!(matches!(decide(Standing::Apart, false), ToDetach::Refuse(_)));
    }
}
