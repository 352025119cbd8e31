//! Reads the subcommands of ALTER TABLE.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{AlterTableCmd, AlterTableStmt, AlterTableType as T, ColumnDef, Node as Tree};

use super::bound::bound;
use super::column::{collation, column, constraint, type_ref};
use super::objects::{kind, relation, words};
use super::{Alter, Change, NewColumn, NewConstraint};
use crate::core::sql::classify::ident;
use crate::core::sql::parse::SqlError;

pub(super) fn alter(statement: &AlterTableStmt) -> Result<Vec<Change>, SqlError> {
    let (of, table) = (kind(statement.objtype()), relation(statement.relation.as_ref())?);
    let mut changes = Vec::new();
    for node in &statement.cmds {
        if let Some(Node::AlterTableCmd(command)) = &node.node {
            let alters = subcommand(command)?;
            changes.extend(alters.into_iter().map(|what| Change::Alter { of, table: table.clone(), what }));
        }
    }
    Ok(changes)
}

fn subcommand(command: &AlterTableCmd) -> Result<Vec<Alter>, SqlError> {
    let name = || ident(&command.name);
    let def = command.def.as_ref().and_then(|def| def.node.as_ref());
    let one = match (command.subtype(), def) {
        (T::AtAddColumn, Some(Node::ColumnDef(def))) => {
            let (mut column, constraints) = column(def)?;
            column.perhaps = command.missing_ok;
            return Ok(with_constraints(column, constraints));
        }
        (T::AtDropColumn, _) => Alter::DropColumn(name()?),
        (T::AtAlterColumnType, Some(Node::ColumnDef(def))) => Alter::Type {
            column: name()?,
            to: type_ref(def.type_name.as_ref())?,
            collation: collation(def)?,
            computed: def.raw_default.as_deref().is_some_and(|using| !is_cast(using, &command.name, def)),
        },
        (T::AtSetNotNull, _) => Alter::SetNotNull(name()?),
        (T::AtDropNotNull, _) => Alter::DropNotNull(name()?),
        (T::AtColumnDefault, def) => Alter::Default { column: name()?, dropped: def.is_none() },
        (T::AtAddIdentity | T::AtSetIdentity | T::AtDropIdentity, _) => Alter::Identity(name()?),
        (T::AtSetExpression, _) => Alter::SetExpression(name()?),
        (T::AtDropExpression, _) => Alter::DropExpression(name()?),
        // SET STATISTICS of an index names its column by number.
        (T::AtSetStatistics, _) if command.name.is_empty() => Alter::Options,
        (T::AtSetStatistics | T::AtSetOptions | T::AtResetOptions, _) => Alter::ColumnOptions(name()?),
        (T::AtSetStorage | T::AtSetCompression, _) => Alter::Storage(name()?),
        (T::AtAddConstraint, Some(Node::Constraint(added))) => match constraint(added)? {
            Some(added) => Alter::AddConstraint(Box::new(added)),
            None => Alter::Other,
        },
        (T::AtValidateConstraint, _) => Alter::Validate(name()?),
        (T::AtDropConstraint, _) => Alter::DropConstraint(name()?),
        (T::AtAlterConstraint, Some(Node::AtalterConstraint(of))) => {
            Alter::AlterConstraint(ident(&of.conname)?)
        }
        (T::AtSetRelOptions | T::AtResetRelOptions | T::AtReplaceRelOptions, _) => Alter::Options,
        (T::AtChangeOwner, _) => Alter::Owner,
        (T::AtClusterOn | T::AtDropCluster, _) => Alter::ClusterOn,
        (T::AtSetLogged | T::AtSetUnLogged, _) => Alter::Logged,
        (T::AtSetTableSpace, _) => Alter::Tablespace,
        (T::AtSetAccessMethod, _) => Alter::AccessMethod,
        (
            T::AtEnableTrig
            | T::AtEnableAlwaysTrig
            | T::AtEnableReplicaTrig
            | T::AtDisableTrig
            | T::AtEnableTrigAll
            | T::AtDisableTrigAll
            | T::AtEnableTrigUser
            | T::AtDisableTrigUser,
            _,
        ) => Alter::Trigger,
        (T::AtEnableRule | T::AtEnableAlwaysRule | T::AtEnableReplicaRule | T::AtDisableRule, _) => {
            Alter::Rule
        }
        (T::AtAddInherit | T::AtDropInherit, Some(Node::RangeVar(parent))) => {
            Alter::Inherit(relation(Some(parent))?)
        }
        (T::AtReplicaIdentity, _) => Alter::ReplicaIdentity,
        (T::AtEnableRowSecurity | T::AtForceRowSecurity, _) => Alter::RowSecurity { on: true },
        (T::AtDisableRowSecurity | T::AtNoForceRowSecurity, _) => Alter::RowSecurity { on: false },
        (T::AtAttachPartition, Some(Node::PartitionCmd(of))) => {
            Alter::Attach { partition: relation(of.name.as_ref())?, bound: of.bound.as_ref().map(bound) }
        }
        (T::AtDetachPartition, Some(Node::PartitionCmd(of))) => {
            Alter::Detach { partition: relation(of.name.as_ref())?, concurrently: of.concurrent }
        }
        (T::AtDetachPartitionFinalize, Some(Node::PartitionCmd(of))) => {
            Alter::Finalize(relation(of.name.as_ref())?)
        }
        _ => Alter::Other,
    };
    Ok(vec![one])
}

/// Whether USING gives the column itself, bare or cast to its new type: what happens without it.
fn is_cast(using: &Tree, column: &str, def: &ColumnDef) -> bool {
    let bare = |node: &Tree| match &node.node {
        Some(Node::ColumnRef(of)) => words(&of.fields) == [column],
        _ => false,
    };
    match &using.node {
        Some(Node::TypeCast(cast)) => {
            let same = type_ref(cast.type_name.as_ref()).ok() == type_ref(def.type_name.as_ref()).ok();
            same && cast.arg.as_deref().is_some_and(bare)
        }
        _ => bare(using),
    }
}

fn with_constraints(column: NewColumn, constraints: Vec<NewConstraint>) -> Vec<Alter> {
    let mut alters = vec![Alter::AddColumn(Box::new(column))];
    alters.extend(constraints.into_iter().map(|constraint| Alter::AddConstraint(Box::new(constraint))));
    alters
}
