//! Looks for partitions that came, with rows, after the proof of a backfill: those rows were there before any trigger
//! saw them. Contract does not go over what no pass has done, nor abort over what the old shape does not have.

use std::time::Duration;

use crate::core::backfill::Backfill;
use crate::core::failure::Failure;
use crate::core::ident::QName;
use crate::core::record::StepRecord;
use crate::core::step::{Action, Limits};
use crate::core::sync::standing::{Event, Trigger, due};
use crate::core::timeline::Item;
use crate::engine::backfill::PROOF;
use crate::engine::backfill::ports::Which;
use crate::engine::error::RunError;
use crate::engine::{Fence, Store, Target};

/// Refuses to go on to contract where a partition that came has rows that a backfill has not done. One that was made
/// empty, and filled by applications since, has none: the sync came with it. Proofs that were made are taken back, so
/// that the next one looks at every row.
///
/// # Errors
/// When there are, or the record or the catalog cannot be read.
pub(super) async fn refuse_joined<S: Store, T: Target>(
    store: &S,
    target: &T,
    fence: &Fence,
    item: &Item,
) -> Result<(), RunError> {
    let mut tables = Vec::new();
    for (backfill, known) in proven(store, item).await? {
        for leaf in target.table(backfill).await?.leaves {
            let Some(sql) =
                backfill.untouched_sql(&leaf).filter(|_| !known.contains(&leaf.table.to_string()))
            else {
                continue;
            };
            if finds(target, item, &sql).await? {
                tables.push(leaf.table.plain());
            }
        }
    }
    if tables.is_empty() {
        return Ok(());
    }
    tables.sort();
    tables.dedup();
    let error = RunError::Joined { tables };
    store.disprove(fence).await?;
    store.note(&item.version, None, "proof void", &error.to_string()).await?;
    Err(error)
}

/// Refuses to go back from contract where a partition that came has rows without a value in the old columns, which
/// the turned syncs would have filled.
///
/// # Errors
/// As [`refuse_joined`].
pub(super) async fn refuse_unkept<S: Store, T: Target>(
    store: &S,
    target: &T,
    item: &Item,
    recorded: &[StepRecord],
) -> Result<(), RunError> {
    let due = due(&item.steps, recorded);
    let (mut tables, mut mend) = (Vec::new(), Vec::new());
    for (backfill, known) in proven(store, item).await? {
        let mine = |trigger: &&Trigger| trigger.table == backfill.table && trigger.event == Event::Insert;
        let triggers: Vec<&Trigger> = due.iter().map(|due| &due.trigger).filter(mine).collect();
        // What the backfill fills may be gone by now, or have another name: the tree alone is asked for.
        for branch in target.partitions(&backfill.table).await? {
            let relation = branch.table;
            if branch.partitioned || known.contains(&relation.to_string()) {
                continue;
            }
            for trigger in &triggers {
                let Some(missed) = trigger.missed() else { continue };
                if finds(target, item, &holds(&relation, &missed)).await? {
                    tables.push(relation.plain());
                    mend.extend(trigger.mend(&relation));
                }
            }
        }
    }
    if tables.is_empty() {
        return Ok(());
    }
    tables.sort();
    tables.dedup();
    mend.sort();
    mend.dedup();
    Err(RunError::Unkept { tables, mend })
}

/// The item's backfills with the leaves that their proofs know. Without a proof the gate is closed, and nothing came
/// after it.
async fn proven<'a, S: Store>(
    store: &S,
    item: &'a Item,
) -> Result<Vec<(&'a Backfill, Vec<String>)>, Failure> {
    let mut proven = Vec::new();
    for step in &item.steps {
        let Action::Backfill(backfill) = &step.action else { continue };
        let which = Which { version: item.version.clone(), step: step.id.clone() };
        let known: Vec<String> =
            store.leaves(&which, PROOF).await?.into_iter().map(|known| known.leaf).collect();
        if !known.is_empty() {
            proven.push((&**backfill, known));
        }
    }
    Ok(proven)
}

fn holds(relation: &QName, predicate: &str) -> String {
    format!("SELECT EXISTS (SELECT FROM ONLY {relation} WHERE {predicate})")
}

/// Whether a query gives true; it may read a whole partition.
async fn finds<T: Target>(target: &T, item: &Item, sql: &str) -> Result<bool, Failure> {
    let limits = Limits { statement_timeout: Duration::ZERO, ..item.limits };
    let value = target.fetch_value(sql, &limits).await?;
    Ok(value.is_some_and(|value| value == "t" || value == "true"))
}
