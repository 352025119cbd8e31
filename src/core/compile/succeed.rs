//! Compiles the mirror of one table in another, and the end of it: in one transaction the other
//! takes the name, and the table goes out of sight, kept in step the other way round, or for good.

use super::{At, CompileError, transaction};
use crate::core::ident::{Ident, QName, do_block, literal};
use crate::core::plan::model::SucceedSpec;
use crate::core::step::{Step, Undo};
use crate::core::sync::mirror::Mirror;

/// Keeps the two tables in step from expand on.
pub(super) fn install(at: &At, mirror: &Mirror) -> Step {
    let (from, to) = (&mirror.spec().from, &mirror.spec().to);
    let title = format!("keep {} in step with {}", to.plain(), from.plain());
    let step = at.step(title, transaction(mirror.install()), Undo::Run(transaction(mirror.remove())));
    Step { syncs: mirror.installed(), ..step }
}

/// Two tables that change places.
struct Pair<'a> {
    mirror: &'a Mirror,
    /// The name that both have in turn.
    name: &'a QName,
    /// The name of the new table before.
    new: &'a QName,
}

impl<'a> Pair<'a> {
    fn of(at: &At, spec: &SucceedSpec, mirrors: &'a [Mirror]) -> Result<Self, CompileError> {
        let mirror = spec.mirror.checked_sub(1).and_then(|n| mirrors.get(n));
        let mirror = mirror.ok_or_else(|| at.error("nothing keeps these tables in step"))?;
        Ok(Self { mirror, name: &mirror.spec().from, new: &mirror.spec().to })
    }

    /// Takes the mirror away under the locks of both, unless one of them has other columns by now.
    fn begin(&self) -> Vec<String> {
        let Self { mirror, name, new } = self;
        let mut sql = vec![format!("LOCK TABLE {name}, {new} IN ACCESS EXCLUSIVE MODE")];
        sql.push(refuse_other_columns(
            (name, new),
            "since expand the two tables have come to differ in columns",
            "Make them equal, or abort the plan and begin anew; nothing has been taken away.",
        ));
        sql.extend(mirror.take_away());
        sql
    }

    fn names(&self, old: &Ident) -> Vec<String> {
        vec![rename(self.name, old), rename(self.new, &self.name.name)]
    }
}

/// Without an undo window: the old table is dropped.
pub(super) fn at_once(
    at: &At,
    spec: &SucceedSpec,
    mirrors: &[Mirror],
    hidden: &dyn Fn(&Ident) -> Ident,
) -> Result<Step, CompileError> {
    let pair = Pair::of(at, spec, mirrors)?;
    let old = hidden(&pair.name.name);
    let run = [
        pair.begin(),
        spec.first.there.clone(),
        pair.names(&old),
        spec.then.there.clone(),
        vec![format!("DROP TABLE {}", pair.name.sibling(old))],
    ];
    let why = "without keep, contract drops the old table at once";
    let step = at.step(spec.title.clone(), transaction(run.concat()), Undo::Irreversible(why.into()));
    Ok(Step { syncs: pair.mirror.removed(), allow: spec.allow.clone(), ..step })
}

/// With an undo window: the old table is kept in step under another name; then purge drops it.
pub(super) fn kept(
    (at, purge): (&At, &At),
    spec: &SucceedSpec,
    mirrors: &[Mirror],
    hidden: &dyn Fn(&Ident) -> Ident,
) -> Result<(Step, Step), CompileError> {
    let pair = Pair::of(at, spec, mirrors)?;
    let Pair { mirror, name, new } = &pair;
    let old = hidden(&name.name);
    let hidden = name.sibling(old.clone());
    let turned = mirror.turned((*name).clone(), hidden.clone(), &spec.fixed);
    let there =
        [pair.begin(), spec.first.there.clone(), pair.names(&old), spec.then.there.clone(), turned.install()];
    let back = [
        vec![
            format!("LOCK TABLE {name}, {hidden} IN ACCESS EXCLUSIVE MODE"),
            refuse_other_columns(
                (&hidden, name),
                "since contract the two tables have come to differ in columns, and those of the new one would go with it",
                "Make them equal, and abort again; nothing has been taken back.",
            ),
        ],
        turned.remove(),
        spec.then.back.clone(),
        vec![rename(name, &new.name), rename(&hidden, &name.name)],
        spec.first.back.clone(),
        mirror.install(),
    ];
    let contract =
        at.step(spec.title.clone(), transaction(there.concat()), Undo::Run(transaction(back.concat())));
    let contract = Step { syncs: [mirror.removed(), turned.installed()].concat(), ..contract };
    let drop = [turned.remove(), vec![format!("DROP TABLE {hidden}")]];
    let title = format!("drop what was table {}", name.plain());
    let gone = Undo::Irreversible("it was dropped for good".into());
    let purge = purge.step(title, transaction(drop.concat()), gone);
    Ok((contract, Step { syncs: turned.removed(), allow: spec.allow.clone(), ..purge }))
}

fn rename(table: &QName, to: &Ident) -> String {
    format!("ALTER TABLE {table} RENAME TO {to}")
}

/// A column that came to one of them meanwhile would be lost with it.
fn refuse_other_columns((old, new): (&QName, &QName), what: &str, helps: &str) -> String {
    let columns = |table: &QName| {
        format!(
            "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation FROM pg_catalog.pg_attribute a\n    \
             WHERE a.attrelid = {}::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped",
            literal(&table.to_string())
        )
    };
    let (of_old, of_new) = (columns(old), columns(new));
    let body = format!(
        "DECLARE\n  found text;\nBEGIN\n  \
         SELECT pg_catalog.string_agg(DISTINCT x.attname::pg_catalog.text, ', ') INTO found FROM (\n    \
         (({of_old})\n    EXCEPT ({of_new}))\n    UNION ALL\n    (({of_new})\n    EXCEPT ({of_old}))) x;\n  \
         IF found IS NOT NULL THEN\n    \
         RAISE EXCEPTION '%: %', {}, found\n      \
         USING HINT = {};\n  END IF;\nEND",
        literal(what),
        literal(helps)
    );
    do_block(&body)
}
