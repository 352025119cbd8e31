//! Owns what a backfill is: the table, the work on its rows, where a walk is.
//! The submodules write its SQL; nothing here talks to a server.

mod again;
pub mod batch;
pub mod check;
pub mod cut;
mod fence;
mod left;
pub mod notes;
mod range;
pub mod tuning;

#[cfg(test)]
mod tests;

use crate::core::ident::{Ident, QName};
use crate::core::plan::model::BackfillWork;
use crate::core::sql::closed;

pub use range::Key;
pub use tuning::Tuning;

/// A backfill entry, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Backfill {
    /// The table that is walked, with its partitions.
    pub table: QName,
    /// What happens to its rows.
    pub work: BackfillWork,
    /// Which rows are left to do, as the plan says.
    pub filter: Option<String>,
    /// The key to walk; `None`: the program chooses the walk.
    pub key: Option<Vec<Ident>>,
    /// The plan's syncs of the table, for the columns that the work sets.
    pub syncs: Vec<InStep>,
    /// How it goes about it, as the plan says.
    pub tuning: Tuning,
}

/// A sync that writes columns which the backfill sets as well.
///
/// A row is in step when every new column is what its expression gives, or,
/// where old columns are computed back, when every old one is what its own gives:
/// then a new writer wrote the row, and its value may be one that the forward
/// expression would not give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InStep {
    /// The new columns.
    pub columns: Vec<Ident>,
    /// Old columns and their expressions over the new ones.
    pub back: Vec<(Ident, String)>,
}

/// A column with the type that the server gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedColumn {
    /// The column.
    pub name: Ident,
    /// Its type as `format_type` prints it; safe to paste into SQL.
    pub type_name: String,
}

impl Leaf {
    /// Whether the text of its key is the same whatever a session's settings for dates,
    /// intervals and floats are.
    #[must_use]
    pub fn steady(&self) -> bool {
        const STEADY: &[&str] = &[
            "smallint",
            "integer",
            "bigint",
            "oid",
            "uuid",
            "text",
            "character",
            "numeric",
            "boolean",
            "bytea",
        ];
        let steady = |column: &TypedColumn| {
            let name = column.type_name.split('(').next().unwrap_or_default();
            STEADY.contains(&name.trim_end()) || name.starts_with("character varying")
        };
        self.key.iter().all(steady)
    }
}

/// How rows are found, range by range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// In the order of a unique key.
    Key,
    /// Page by page, as the table lies on disk.
    Pages,
}

impl Walk {
    /// The name on record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Pages => "pages",
        }
    }

    /// Reads the name on record.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Key, Self::Pages].into_iter().find(|walk| walk.name() == name)
    }
}

/// What the catalog says about one table with rows of its own: the backfill's
/// table, or one of its partitions.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// The table.
    pub table: QName,
    /// Its oid, for statistics.
    pub oid: u32,
    /// Its storage; another one means that every row may lie elsewhere.
    pub filenode: i64,
    /// The columns of its key in index order; none: it has no key.
    pub key: Vec<TypedColumn>,
    /// The columns that the work sets.
    pub targets: Vec<TypedColumn>,
    /// The columns that syncs compute back, for [`InStep`].
    pub backs: Vec<TypedColumn>,
    /// Of the table that is copied into: the columns of the unique key that tells copied
    /// rows apart. A conflict on anything else is an error of the row.
    pub arbiter: Vec<TypedColumn>,
    /// Live rows, as the planner estimates them.
    pub estimate: i64,
    /// Pages on disk, 8 KiB each.
    pub pages: i64,
}

/// What a backfill's table is, with everything that holds rows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its leaves; one where it is no parent.
    pub leaves: Vec<Leaf>,
    /// `server_version_num`.
    pub version: u32,
}

impl Table {
    /// A leaf by its name on record.
    #[must_use]
    pub fn leaf(&self, name: &str) -> Option<&Leaf> {
        self.leaves.iter().find(|leaf| leaf.table.to_string() == name)
    }
}

/// The first server that reads a range of pages without the rest (TID range scan).
const PAGES_SINCE: u32 = 140_000;

impl Backfill {
    /// How the rows of a leaf are found in the first pass.
    ///
    /// By pages where the server can: no index is read, neighbours are on one
    /// page whatever the key is, and stripes make updates HOT for any key. By
    /// key where the plan names one, or where the server cannot.
    #[must_use]
    pub fn walk(&self, leaf: &Leaf, version: u32) -> Walk {
        let by_pages = self.key.is_none() && version >= PAGES_SINCE;
        if by_pages || leaf.key.is_empty() { Walk::Pages } else { Walk::Key }
    }

    /// How the rows of a leaf are found when they are proven: by the key, because a
    /// row that moves to a page that was read already would be missed. By pages only
    /// where there is no key; then [`Backfill::astray_sql`] has the last word.
    #[must_use]
    pub fn proof_walk(&self, leaf: &Leaf) -> Walk {
        if leaf.key.is_empty() { Walk::Pages } else { Walk::Key }
    }

    /// Whether a sync of the plan writes what it sets.
    #[must_use]
    pub fn synced(&self) -> bool {
        !self.syncs.is_empty()
    }

    /// What it does, as one statement for people; batches run it range by range.
    #[must_use]
    pub fn outline(&self) -> String {
        let table = &self.table;
        let filter =
            self.filter.as_ref().map_or_else(String::new, |filter| format!(" WHERE {}", filter.trim()));
        match &self.work {
            BackfillWork::Set(columns) => {
                let set: Vec<String> =
                    columns.iter().map(|(column, expr)| format!("{column} = {expr}")).collect();
                format!("UPDATE {table} SET {}{filter}", set.join(", "))
            }
            BackfillWork::Copy { into, columns } => {
                let (names, exprs) = unzip(columns);
                let exprs = exprs.join(", ");
                format!(
                    "INSERT INTO {into} ({names}) SELECT {exprs} FROM {table}{filter} ON CONFLICT DO NOTHING"
                )
            }
            BackfillWork::Delete => format!("DELETE FROM {table}{filter}"),
        }
    }

    /// The query that lists rows out of step, for people; none where no row can be.
    #[must_use]
    pub fn astray_outline(&self) -> Option<String> {
        let BackfillWork::Set(columns) = &self.work else { return None };
        let differs =
            |(column, expr): &(Ident, String)| format!("{column} IS DISTINCT FROM ({})", expr.trim());
        let parts: Vec<String> = columns
            .iter()
            .map(|pair| {
                let back = self.sync_of(&pair.0).map_or(&[][..], |sync| sync.back.as_slice());
                let back: Vec<String> = back.iter().map(differs).collect();
                if back.is_empty() {
                    return differs(pair);
                }
                format!("({} AND ({}))", differs(pair), back.join(" OR "))
            })
            .collect();
        let filter =
            self.filter.as_ref().map_or_else(String::new, |filter| format!("({}) AND ", filter.trim()));
        Some(format!("SELECT * FROM {} WHERE {filter}({}) LIMIT 20", self.table, parts.join(" OR ")))
    }

    /// The sync that writes a column, if one does.
    fn sync_of(&self, column: &Ident) -> Option<&InStep> {
        self.syncs.iter().find(|sync| sync.columns.contains(column))
    }
}

/// Which share of the rows of a window one batch takes: every k-th, so that what
/// the batch before left dead on a page makes room for this one's new rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stripes {
    /// How the rows are dealt out.
    pub by: StripeBy,
    /// How many batches a window takes; at least 1.
    pub count: i32,
}

/// How rows are dealt out to stripes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StripeBy {
    /// Not at all: a window is one batch.
    #[default]
    Nothing,
    /// By the remainder of an integer key.
    Remainder,
    /// By a hash of the row's place.
    Hash,
}

impl Stripes {
    /// One batch a window.
    pub const OFF: Self = Self { by: StripeBy::Nothing, count: 1 };

    /// The name on record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.by {
            StripeBy::Nothing => "none",
            StripeBy::Remainder => "remainder",
            StripeBy::Hash => "hash",
        }
    }

    /// Reads what is on record.
    #[must_use]
    pub fn from_record(name: &str, count: i32) -> Self {
        match name {
            "remainder" if count > 1 => Self { by: StripeBy::Remainder, count },
            "hash" if count > 1 => Self { by: StripeBy::Hash, count },
            _ => Self::OFF,
        }
    }
}

/// A part of a leaf that one worker has on lease, and where the walk in it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Its number in the backfill.
    pub number: i32,
    /// 1: the work; 2: the proof.
    pub pass: i32,
    /// How its rows are found.
    pub walk: Walk,
    /// The leaf's name on record.
    pub leaf: String,
    /// Fencing: whoever writes under an older one writes nothing.
    pub epoch: i64,
    /// What is done: the last key, or the first page that is not.
    pub cursor: Option<Key>,
    /// The end of the window that is under way.
    pub until: Option<Key>,
    /// The last key, or the page after the last; `None`: there is no row.
    pub upper: Option<Key>,
    /// The stripe of the window that comes next.
    pub stripe: i32,
    /// How the window is cut.
    pub stripes: Stripes,
    /// Nothing is left.
    pub finished: bool,
}

fn unzip(columns: &[(Ident, String)]) -> (String, Vec<String>) {
    let names = columns.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(", ");
    let exprs = columns.iter().map(|(_, expr)| format!("({})", closed(expr))).collect();
    (names, exprs)
}
