//! Owns the sheet that recipes write on: explicit steps of every phase, and what speaks against them.

use std::collections::BTreeSet;

use super::create_table::CreateTable;
use super::known::{Column, Dependent, Enum, Known, Table};
use super::{Change, Written};
use crate::core::ident::{Ident, QName, plain};
use crate::core::plan::fault::TOP;
use crate::core::plan::model::{
    BackfillSpec, BackfillWork, ExchangeSpec, Gate, MirrorSpec, MoveSpec, Place, Placed, Plan, SqlSpec,
    StepSpec, SyncSpec, UndoSpec,
};
use crate::core::plan::scalar::Places;
use crate::core::preflight;
use crate::core::sql::expression_over;
use crate::core::step::Allow;

/// What a plan's changes have come to so far.
pub struct Draft<'a> {
    /// The plan's version, for names that must be its own.
    version: &'a str,
    /// The plan's own backfills.
    own: &'a [Placed<BackfillSpec>],
    /// All changes of the plan.
    changes: &'a [Placed<Change>],
    /// The change that is being written.
    at: Place,
    /// What is known, as the changes before this one leave it.
    known: Known,
    /// Whether somebody must vouch for it before contract.
    vouched: bool,
    /// Whether contract keeps what it takes away for a while.
    keeps: bool,
    /// Whether the plan says when validate may begin.
    gated: bool,
    /// The tables that its own steps make.
    made: BTreeSet<Ident>,
    expand: Vec<Placed<StepSpec>>,
    backfill: Vec<Placed<BackfillSpec>>,
    validate: Vec<Placed<StepSpec>>,
    contract: Vec<Placed<StepSpec>>,
    refused: Vec<(Place, String)>,
    cautions: Vec<(Place, String)>,
    /// What changes before this one are about.
    about: Vec<QName>,
    /// Names of indexes and the like that changes before this one make.
    taken: Vec<QName>,
    /// Tables that nothing after a change may be about, and why.
    closed: Vec<(QName, &'static str)>,
    /// What explicit steps before this change make or change.
    unseen: BTreeSet<QName>,
    /// Whether such a step may change anything.
    opaque: bool,
    /// Exchanges that wait for others, to be one with them.
    gathered: Option<Vec<ExchangeSpec>>,
}

/// SQL that a recipe writes.
pub(super) struct Sql {
    text: String,
    undo: Option<UndoSpec>,
    allow: Vec<Allow>,
}

impl Sql {
    /// Statements, and those that take them back.
    pub(super) fn new(text: impl Into<String>, undo: impl Into<String>) -> Self {
        let undo = Some(UndoSpec::Sql(undo.into(), Places::default()));
        Self { text: text.into(), undo, allow: Vec::new() }
    }

    /// Statements that only prove something: there is nothing to take back.
    pub(super) fn proof(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None, allow: Vec::new() }
    }

    /// Statements that nothing takes back, and why.
    pub(super) fn for_good(text: impl Into<String>, why: &str) -> Self {
        Self { text: text.into(), undo: Some(UndoSpec::Irreversible(why.into())), allow: Vec::new() }
    }

    /// Statements of which abort leaves behind what they make.
    pub(super) fn that_stays(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: Some(UndoSpec::Stays), allow: Vec::new() }
    }

    /// Accepts a finding of the linter, because the recipe has taken care of it.
    pub(super) fn allow(mut self, rule: &str, reason: &str) -> Self {
        self.allow.push(Allow::of_step(rule, reason));
        self
    }

    fn spec(self) -> StepSpec {
        let Self { text, undo, allow } = self;
        StepSpec::Sql(SqlSpec { text, file: None, places: Places::default(), undo, allow })
    }
}

impl<'a> Draft<'a> {
    pub(super) fn new(plan: &'a Plan, known: &Known) -> Self {
        Self {
            version: plan.version.as_str(),
            own: &plan.backfill,
            changes: &plan.change,
            at: TOP,
            known: known.clone(),
            vouched: !plan.gates.contract.deployed.is_empty() || plan.gates.contract.approvals.is_some(),
            keeps: plan.keep.is_some(),
            gated: plan.gates.validate != Gate::default(),
            made: preflight::made(plan),
            expand: Vec::new(),
            backfill: Vec::new(),
            validate: Vec::new(),
            contract: Vec::new(),
            refused: Vec::new(),
            cautions: Vec::new(),
            about: Vec::new(),
            taken: Vec::new(),
            closed: Vec::new(),
            unseen: BTreeSet::new(),
            opaque: false,
            gathered: None,
        }
    }

    pub(super) fn turn_to(&mut self, at: Place) {
        self.at = at;
    }

    /// Steps of recipes stand before the plan's own.
    pub(super) fn finish(mut self, plan: &Plan) -> Written {
        // What the plan writes out itself comes after its changes.
        let own = crate::core::compile::of_plan(plan);
        for (table, why) in std::mem::take(&mut self.closed) {
            if own.contains(&table.plain()) {
                self.refuse(format!("{} {why}", table.plain()));
            }
        }
        let own = |mut first: Vec<Placed<StepSpec>>, then: &[Placed<StepSpec>]| {
            first.extend_from_slice(then);
            first
        };
        let mut backfill = self.backfill;
        backfill.extend_from_slice(&plan.backfill);
        let plan = Plan {
            change: Vec::new(),
            expand: own(self.expand, &plan.expand),
            backfill,
            validate: own(self.validate, &plan.validate),
            contract: own(self.contract, &plan.contract),
            ..plan.clone()
        };
        Written { plan, refused: self.refused, cautions: self.cautions }
    }

    /// Whether contract keeps what it takes away for a while.
    pub(super) const fn keeps(&self) -> bool {
        self.keeps
    }

    /// Whether somebody must vouch for it before contract: an application's version, or people.
    pub(super) const fn contract_is_gated(&self) -> bool {
        self.vouched
    }

    /// Says that something binds every writer from validate on, where no gate waits for those that keep to it.
    pub(super) fn binds(&mut self, what: &str) {
        if !self.gated {
            self.caution(format!(
                "from validate on {what} binds every writer, old code too: where that does not keep to it, a gate waits \
                 for the code that does (gates: {{validate: {{deployed: APP@VERSION}}}})"
            ));
        }
    }

    /// The plan's version.
    pub(super) const fn version(&self) -> &str {
        self.version
    }

    /// The server's version; the newest where it is not known.
    pub(super) const fn server(&self) -> u32 {
        if self.known.version == 0 {
            crate::core::compile::Server::NEWEST.version
        } else {
            self.known.version
        }
    }

    /// A name of the plan's own, that no application uses.
    pub(super) fn own_name(&self, what: &str) -> Ident {
        Ident::shortened(&format!("_phase_{}_", self.version), what)
    }

    /// Says why the plan may not start.
    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.refused.push((self.at, why.into()));
    }

    /// Says what to look at twice.
    pub(super) fn caution(&mut self, what: impl Into<String>) {
        self.cautions.push((self.at, what.into()));
    }

    /// All that is known, as the changes before this one leave it.
    pub(super) const fn known(&self) -> &Known {
        &self.known
    }

    /// A table; `None` where nothing is known of it. That one is not there is said by the preflight.
    pub(super) fn table(&self, name: &QName) -> Option<Table> {
        self.known.table(name).cloned()
    }

    /// A table that must be there, unless the plan makes it itself.
    pub(super) fn required(&mut self, name: &QName) -> Option<Table> {
        let found = self.table(name);
        if found.is_none() && self.known.complete && !self.made.contains(&name.name) {
            self.refuse(format!("there is no table {}", name.plain()));
        }
        found
    }

    /// An enum type that must be there; `None` where nothing is known of it, or what is there is none.
    pub(super) fn required_enum(&mut self, name: &QName) -> Option<Enum> {
        let found = self.known.enums.get(&name.plain()).cloned();
        match &found {
            None if self.known.complete => self.refuse(format!("there is no type {}", name.plain())),
            Some(other) if !other.is_one() => self.refuse(format!("type {} is no enum", name.plain())),
            _ => {}
        }
        found.filter(Enum::is_one)
    }

    /// Whether a name is that of a type, of whichever kind, or of a table, whose rows have one.
    pub(super) fn has_type(&self, name: &QName) -> bool {
        self.known.enums.contains_key(&name.plain()) || self.known.table(name).is_some()
    }

    /// Makes a type known to the changes that follow.
    pub(super) fn makes_type(&mut self, name: &QName, made: Enum) {
        self.known.enums.insert(name.plain(), made);
    }

    /// Changes what the next recipes know of a type.
    pub(super) fn now_enum(&mut self, name: &QName, change: impl FnOnce(&mut Enum)) {
        if let Some(known) = self.known.enums.get_mut(&name.plain()) {
            change(known);
        }
    }

    /// Whether the catalog was asked: what is not known is not there.
    pub(super) const fn knows_all(&self) -> bool {
        self.known.complete
    }

    /// Whether a relation has a name already that one beside the table is to have.
    pub(super) fn is_taken(&self, table: &QName, name: &QName) -> bool {
        // The same name in another schema of the search path is another relation.
        let beside = |found: &Table| self.known.table(table).is_none_or(|known| known.schema == found.schema);
        self.taken.contains(name) || self.known.table(name).is_some_and(beside)
    }

    /// The change of the plan that makes a table.
    pub(super) fn creates(&self, table: &QName) -> Option<&'a CreateTable> {
        self.changes.iter().find_map(|change| match &change.value {
            Change::CreateTable(made) if made.table() == table => Some(made),
            _ => None,
        })
    }

    /// Whether the plan itself copies rows into a table.
    pub(super) fn fills(&self, table: &QName) -> bool {
        let moves =
            |change: &Placed<Change>| matches!(&change.value, Change::MoveColumns(of) if of.to() == table);
        self.changes.iter().any(moves)
            || self
                .own
                .iter()
                .any(|entry| matches!(&entry.value.work, BackfillWork::Copy { into, .. } if into == table))
    }

    /// Puts down that nothing after this change may be about a table, and why.
    pub(super) fn closes(&mut self, table: &QName, why: &'static str) {
        self.closed.push((table.clone(), why));
    }

    /// Refuses a change that is about a table that was closed.
    pub(super) fn refuse_closed(&mut self, tables: &[&QName]) {
        for (table, why) in self.closed.clone() {
            if tables.contains(&&table) {
                self.refuse(format!("{} {why}", table.plain()));
            }
        }
    }

    /// Puts down what a change was about.
    pub(super) fn was_about(&mut self, tables: Vec<&QName>) {
        self.about.extend(tables.into_iter().cloned());
    }

    /// Whether a change before this one is about a table.
    pub(super) fn is_about(&self, table: &QName) -> bool {
        self.about.contains(table)
    }

    /// Puts down that explicit steps make a table.
    pub(super) fn makes_table(&mut self, name: Ident) {
        self.made.insert(name);
    }

    /// Puts down that explicit steps make or change something: what is known of it is not true any more.
    pub(super) fn changes_unseen(&mut self, name: &QName) {
        self.unseen.insert(name.clone());
    }

    /// Puts down that an explicit step cannot be seen through.
    pub(super) const fn may_change_all(&mut self) {
        self.opaque = true;
    }

    /// Puts down that explicit steps drop a view.
    pub(super) fn drops_view(&mut self, view: &QName) {
        for table in self.known.tables.values_mut() {
            let is = |relation: &String| QName::parse(relation).is_ok_and(|relation| relation.may_be(view));
            table.hanging.retain(|one| !one.relation.as_ref().is_some_and(is));
        }
    }

    /// Refuses what explicit steps before this change make or change.
    pub(super) fn refuse_unseen(&mut self, names: &[&QName]) {
        for name in names {
            if self.unseen.iter().any(|unseen| unseen.may_be(name)) {
                self.refuse(format!(
                    "{} is made or changed by sql before this, and a change is written from what the catalog says: \
                     take another plan for it, or put that sql behind it",
                    name.plain()
                ));
            }
        }
        if self.opaque && !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| name.plain()).collect();
            self.caution(format!(
                "sql before this cannot be seen through: it must not change {}",
                names.join(", ")
            ));
        }
    }

    /// Gives a table another name, from expand on.
    pub(super) fn renames(&mut self, from: &QName, to: &QName) {
        self.renames_in_dependents(from, None);
        if let Some(table) = self.known.tables.remove(&from.plain()) {
            self.known.tables.insert(to.plain(), table);
        }
    }

    /// Puts down that what reads a column, or the table, is not what the catalog said any more.
    pub(super) fn renames_in_dependents(&mut self, table: &QName, column: Option<&Ident>) {
        let of_it = |one: &&Dependent| column.is_none_or(|column| one.reads(column));
        let known = self.known.table(table);
        let named: Vec<String> = known
            .into_iter()
            .flat_map(|known| &known.dependents)
            .filter(of_it)
            .map(|one| one.said.clone())
            .collect();
        let all = self.known.tables.values_mut().flat_map(|table| &mut table.dependents);
        for one in all.filter(|one| named.contains(&one.said)) {
            one.renamed = true;
        }
    }

    /// Makes a table known to the changes that follow.
    pub(super) fn made(&mut self, name: &QName, table: Table) {
        self.known.tables.insert(name.plain(), table);
    }

    /// Puts down that a relation will have a name.
    pub(super) fn makes(&mut self, name: QName) {
        self.taken.push(name);
    }

    /// A column; where nothing is known of its table, one that is assumed. One that is not there is refused.
    pub(super) fn column(&mut self, table: &QName, column: &Ident) -> Column {
        match self.known.table(table).map(|known| known.column(column).cloned()) {
            Some(Some(found)) => return found,
            Some(None) => self.refuse(format!("table {} has no column {}", table.plain(), plain(column))),
            None => {}
        }
        Column::assumed(table, column)
    }

    /// What a column is called until contract, when a change before this one has given it its name.
    pub(super) fn name_now(&self, table: &QName, column: &Ident) -> Ident {
        let known = self.known.table(table).and_then(|known| known.column(column));
        let before = known.and_then(|known| known.until_contract.clone());
        before.and_then(|name| Ident::exact(name).ok()).unwrap_or_else(|| column.clone())
    }

    /// An expression over the row, as it is written until contract.
    pub(super) fn expression_now(&mut self, table: &QName, expr: &str) -> String {
        let renamed = |column: &Column| {
            let name = Ident::exact(column.name.clone()).ok()?;
            Some((name, Ident::exact(column.until_contract.clone()?).ok()?))
        };
        let known = self.known.table(table);
        let renamed: Vec<(Ident, Ident)> =
            known.into_iter().flat_map(|known| &known.columns).filter_map(renamed).collect();
        let mut text = expr.to_owned();
        for (name, now) in renamed {
            match expression_over(&text, &name, &now) {
                Ok(over) => text = over,
                Err(error) => self.refuse(format!("{expr}: {error}")),
            }
        }
        text
    }

    /// Refuses a name that a column of the table has already.
    pub(super) fn refuse_taken(&mut self, table: &QName, column: &Ident) {
        let taken = |known: &Column| {
            known.name == column.as_str() || known.until_contract.as_deref() == Some(column.as_str())
        };
        if self.known.table(table).is_some_and(|known| known.columns.iter().any(taken)) {
            self.refuse(format!("table {} has a column {} already", table.plain(), plain(column)));
        }
    }

    /// Changes what the next recipes know of a table.
    pub(super) fn now(&mut self, table: &QName, change: impl FnOnce(&mut Table)) {
        if let Some(known) = self.known.table_mut(table) {
            change(known);
        }
    }

    /// As [`Draft::now`], of one column.
    pub(super) fn now_column(&mut self, table: &QName, column: &Ident, change: impl FnOnce(&mut Column)) {
        self.now(table, |table| {
            if let Some(known) = table.columns.iter_mut().find(|known| known.name == column.as_str()) {
                change(known);
            }
        });
    }

    pub(super) fn expand(&mut self, step: StepSpec) {
        self.expand.push(Placed { value: step, place: self.at });
    }

    pub(super) fn expand_sql(&mut self, sql: Sql) {
        self.expand(sql.spec());
    }

    /// Keeps columns in step from expand on; which sync of the plan that is, from 1.
    pub(super) fn sync(&mut self, sync: SyncSpec) -> usize {
        self.expand(StepSpec::Sync(sync));
        self.expand.iter().filter(|step| matches!(step.value, StepSpec::Sync(_))).count()
    }

    /// Keeps a table in step with another from expand on; which mirror of the plan that is, from 1.
    pub(super) fn mirror(&mut self, mirror: MirrorSpec) -> usize {
        self.expand(StepSpec::Mirror(mirror));
        self.expand.iter().filter(|step| matches!(step.value, StepSpec::Mirror(_))).count()
    }

    /// Keeps columns equal to those of another table from expand on; which move of the plan that is, from 1.
    pub(super) fn moves(&mut self, moved: MoveSpec) -> usize {
        self.expand(StepSpec::Move(moved));
        self.expand.iter().filter(|step| matches!(step.value, StepSpec::Move(_))).count()
    }

    pub(super) fn validate(&mut self, step: StepSpec) {
        self.validate.push(Placed { value: step, place: self.at });
    }

    pub(super) fn validate_sql(&mut self, sql: Sql) {
        self.validate(sql.spec());
    }

    pub(super) fn contract(&mut self, step: StepSpec) {
        self.contract.push(Placed { value: step, place: self.at });
    }

    pub(super) fn contract_sql(&mut self, sql: Sql) {
        self.contract(sql.spec());
    }

    /// Copies the rows of a table into another, under the same columns.
    pub(super) fn copy(&mut self, table: &QName, into: &QName, columns: &[Ident]) {
        let columns = columns.iter().map(|name| (name.clone(), name.to_string())).collect();
        let work = BackfillWork::Copy { into: into.clone(), columns };
        self.backfill.push(Placed { value: BackfillSpec::of(table.clone(), work), place: self.at });
    }

    /// Copies columns of a table into another, each under its name there, of the rows that `filter` is true for.
    pub(super) fn copy_as(
        &mut self,
        (table, into): (&QName, &QName),
        columns: &[(Ident, Ident)],
        filter: String,
    ) {
        let columns = columns.iter().map(|(old, new)| (new.clone(), old.to_string())).collect();
        let work = BackfillWork::Copy { into: into.clone(), columns };
        let spec = BackfillSpec { filter: Some(filter), ..BackfillSpec::of(table.clone(), work) };
        self.backfill.push(Placed { value: spec, place: self.at });
    }

    /// Columns change places in contract.
    pub(super) fn exchange(&mut self, exchange: ExchangeSpec) {
        match &mut self.gathered {
            Some(gathered) => gathered.push(exchange),
            None => self.contract(StepSpec::Exchange(exchange)),
        }
    }

    /// From here on exchanges wait for [`Draft::gathered`].
    pub(super) fn gather(&mut self) {
        self.gathered = Some(Vec::new());
    }

    /// Those that wait, as one.
    pub(super) fn gathered(&mut self) -> Option<ExchangeSpec> {
        let all = self.gathered.take().unwrap_or_default();
        let one = all.into_iter().reduce(|mut one, mut more| {
            one.pairs.append(&mut more.pairs);
            for (into, from) in [
                (&mut one.first, more.first),
                (&mut one.hide, more.hide),
                (&mut one.then, more.then),
                (&mut one.last, more.last),
            ] {
                into.there.extend(from.there);
                into.back.splice(0..0, from.back);
            }
            one.drop.append(&mut more.drop);
            one.allow.append(&mut more.allow);
            one
        });
        one.map(|mut one| {
            one.pairs.sort_by(|a, b| a.table.cmp(&b.table));
            one
        })
    }

    /// Carries data over as a backfill says.
    pub(super) fn carry(&mut self, entry: Placed<BackfillSpec>) {
        self.backfill.push(entry);
    }

    /// Fills columns, row by row, where `filter` says that a row is left to do.
    pub(super) fn fill(&mut self, table: &QName, columns: Vec<(Ident, String)>, filter: Option<String>) {
        let spec = BackfillSpec { filter, ..BackfillSpec::of(table.clone(), BackfillWork::Set(columns)) };
        self.backfill.push(Placed { value: spec, place: self.at });
    }
}
