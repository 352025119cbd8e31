//! Owns PostgreSQL's eight table locks: their order, their conflicts, and what
//! the application feels of each.

use serde::{Deserialize, Serialize};

/// A lock on a table, from the weakest to the strongest; numbered as
/// PostgreSQL's `lockdefs.h` numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// What a query takes.
    AccessShare = 1,
    /// What SELECT FOR UPDATE and its kin take.
    RowShare,
    /// What INSERT, UPDATE and DELETE take.
    RowExclusive,
    /// VACUUM, VALIDATE CONSTRAINT, concurrent builds.
    ShareUpdateExclusive,
    /// CREATE INDEX.
    Share,
    /// ADD FOREIGN KEY, CREATE TRIGGER.
    ShareRowExclusive,
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// Most of ALTER TABLE.
    AccessExclusive,
}

impl Lock {
    /// Every lock, from the weakest to the strongest.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// The lock that PostgreSQL gives this number.
    #[must_use]
    pub fn numbered(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|lock| *lock as i32 == number)
    }

    /// The name, as the manual writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The lock of `pg_locks.mode` (`AccessExclusiveLock`).
    #[must_use]
    pub fn of_mode(mode: &str) -> Option<Self> {
        let plain = |lock: &Self| lock.name().split(' ').map(str::to_lowercase).collect::<String>() + "lock";
        Self::ALL.into_iter().find(|lock| plain(lock) == mode.to_lowercase())
    }

    /// Whether two sessions cannot hold these two on one table at once.
    /// Source: the manual, table "Conflicting Lock Modes".
    #[must_use]
    pub const fn conflicts(self, other: Self) -> bool {
        // One row a lock, from the weakest; bit n stands for the lock numbered n + 1.
        const CONFLICTS: [u8; 8] = [
            0b1000_0000,
            0b1100_0000,
            0b1111_0000,
            0b1111_1000,
            0b1110_1100,
            0b1111_1100,
            0b1111_1110,
            0b1111_1111,
        ];
        CONFLICTS[self as usize - 1] & (1 << (other as usize - 1)) != 0
    }

    /// Whether the application's queries wait.
    #[must_use]
    pub const fn blocks_reads(self) -> bool {
        self.conflicts(Self::AccessShare)
    }

    /// Whether the application's writes wait.
    #[must_use]
    pub const fn blocks_writes(self) -> bool {
        self.conflicts(Self::RowExclusive)
    }

    /// What the application may still do.
    #[must_use]
    pub const fn leaves(self) -> &'static str {
        if self.blocks_reads() {
            "nobody reads or writes meanwhile"
        } else if self.blocks_writes() {
            "nobody writes meanwhile"
        } else {
            "reads and writes go on"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn conflicts_are_mutual_and_those_of_the_manual() {
        for a in Lock::ALL {
            for b in Lock::ALL {
                assert_eq!(a.conflicts(b), b.conflicts(a), "{a:?} {b:?}");
            }
            assert!(a.conflicts(Lock::AccessExclusive));
            assert_eq!(Lock::numbered(a as i32), Some(a));
        }
        let itself = |lock: Lock| lock.conflicts(lock);
        let own: Vec<bool> = Lock::ALL.into_iter().map(itself).collect();
        assert_eq!(own, [false, false, false, true, false, true, true, true]);
        assert!(Lock::Share.blocks_writes() && !Lock::Share.blocks_reads());
        assert!(!Lock::ShareUpdateExclusive.blocks_writes());
        assert_eq!(Lock::of_mode("ShareRowExclusiveLock"), Some(Lock::ShareRowExclusive));
    }
}
