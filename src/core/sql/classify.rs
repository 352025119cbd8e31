//! Owns how a statement meets transactions, on PostgreSQL 13 to 18.
//!
//! The list follows the callers of `PreventInTransactionBlock` in PostgreSQL's
//! sources.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{
    AlterTableStmt, AlterTableType, DropStmt, IndexStmt, ObjectType, ReindexObjectType, TransactionStmtKind,
};

use super::parse::{SqlError, json, string};
use crate::core::ident::{Ident, QName};

/// How a statement meets transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It may run in a transaction with others.
    Transactional,
    /// CREATE INDEX CONCURRENTLY.
    BuildIndex(BuildIndex),
    /// DROP INDEX CONCURRENTLY.
    DropIndex(DropIndex),
    /// ALTER TABLE … DETACH PARTITION … CONCURRENTLY.
    Detach {
        /// The partitioned table.
        table: QName,
        /// What stands apart afterwards.
        partition: QName,
    },
    /// It cannot run in a transaction block.
    Outside {
        /// Whether running it twice does no harm.
        repeatable: bool,
        /// What it is.
        what: &'static str,
    },
    /// BEGIN, COMMIT and the like.
    TransactionControl,
    /// It may run in a transaction, but what it makes cannot be used before the
    /// commit (ALTER TYPE ADD VALUE).
    OwnCommit,
    /// COPY with data from the client.
    Copy,
    /// SET or RESET of a setting.
    SetSession,
}

/// An index that a script builds concurrently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildIndex {
    /// Its name, where the script gives one.
    pub index: Option<Ident>,
    /// Its table.
    pub table: QName,
    /// Whether it is unique.
    pub unique: bool,
}

/// Indexes that a script drops concurrently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropIndex {
    /// Their names.
    pub indexes: Vec<QName>,
    /// Whether they may be gone already.
    pub if_exists: bool,
}

pub(super) fn classify(node: &Node) -> Result<Kind, SqlError> {
    let repeat = |what| Kind::Outside { repeatable: true, what };
    let once = |what| Kind::Outside { repeatable: false, what };
    Ok(match node {
        Node::TransactionStmt(statement) => match statement.kind() {
            TransactionStmtKind::Undefined => Kind::Transactional,
            _ => Kind::TransactionControl,
        },
        Node::IndexStmt(index) if index.concurrent => Kind::BuildIndex(build(index)?),
        Node::DropStmt(drop) if drop.concurrent && drop.remove_type() == ObjectType::ObjectIndex => {
            Kind::DropIndex(DropIndex { indexes: names(drop)?, if_exists: drop.missing_ok })
        }
        Node::DropStmt(drop) if drop.remove_type() == ObjectType::ObjectSubscription => {
            once("DROP SUBSCRIPTION")
        }
        Node::VacuumStmt(vacuum) if vacuum.is_vacuumcmd => repeat("VACUUM"),
        Node::ReindexStmt(reindex) => {
            let wide = !matches!(
                reindex.kind(),
                ReindexObjectType::ReindexObjectIndex | ReindexObjectType::ReindexObjectTable
            );
            let concurrent = json(&reindex.params)?.to_string().contains("\"defname\":\"concurrently\"");
            if wide || concurrent { repeat("REINDEX") } else { Kind::Transactional }
        }
        Node::ClusterStmt(cluster) if cluster.relation.is_none() => repeat("CLUSTER"),
        Node::CreatedbStmt(_) => once("CREATE DATABASE"),
        Node::DropdbStmt(_) => once("DROP DATABASE"),
        Node::CreateTableSpaceStmt(_) => once("CREATE TABLESPACE"),
        Node::DropTableSpaceStmt(_) => once("DROP TABLESPACE"),
        Node::AlterSystemStmt(_) => repeat("ALTER SYSTEM"),
        Node::AlterDatabaseStmt(_) => repeat("ALTER DATABASE"),
        Node::CreateSubscriptionStmt(_) => once("CREATE SUBSCRIPTION"),
        Node::AlterSubscriptionStmt(_) => once("ALTER SUBSCRIPTION"),
        Node::DropSubscriptionStmt(_) => once("DROP SUBSCRIPTION"),
        Node::DiscardStmt(_) => repeat("DISCARD"),
        Node::AlterTableStmt(alter) => detach(alter)?.unwrap_or(Kind::Transactional),
        Node::AlterEnumStmt(alter) if !alter.new_val.is_empty() && alter.old_val.is_empty() => {
            Kind::OwnCommit
        }
        Node::CopyStmt(copy) if copy.filename.is_empty() && !copy.is_program => Kind::Copy,
        Node::VariableSetStmt(_) => Kind::SetSession,
        _ => Kind::Transactional,
    })
}

fn build(index: &IndexStmt) -> Result<BuildIndex, SqlError> {
    let table = index.relation.as_ref().ok_or_else(|| SqlError::new("CREATE INDEX without a table"))?;
    let name = if index.idxname.is_empty() { None } else { Some(ident(&index.idxname)?) };
    Ok(BuildIndex { index: name, table: qname(&table.schemaname, &table.relname)?, unique: index.unique })
}

fn names(drop: &DropStmt) -> Result<Vec<QName>, SqlError> {
    let name = |object| {
        let object = json(object)?;
        let items = object["node"]["List"]["items"].as_array().cloned().unwrap_or_default();
        let parts: Vec<&str> = items.iter().filter_map(string).collect();
        match parts.as_slice() {
            [name] => qname("", name),
            [schema, name] => qname(schema, name),
            _ => Err(SqlError::new("DROP INDEX with a name of too many parts")),
        }
    };
    drop.objects.iter().map(name).collect()
}

/// DETACH PARTITION CONCURRENTLY, which shares its statement with nothing else.
fn detach(alter: &AlterTableStmt) -> Result<Option<Kind>, SqlError> {
    let [command] = alter.cmds.as_slice() else { return Ok(None) };
    let Some(Node::AlterTableCmd(command)) = &command.node else { return Ok(None) };
    let Some(Node::PartitionCmd(of)) = command.def.as_ref().and_then(|def| def.node.as_ref()) else {
        return Ok(None);
    };
    match (command.subtype(), &alter.relation, &of.name) {
        (AlterTableType::AtDetachPartition, Some(table), Some(partition)) if of.concurrent => {
            Ok(Some(Kind::Detach {
                table: qname(&table.schemaname, &table.relname)?,
                partition: qname(&partition.schemaname, &partition.relname)?,
            }))
        }
        _ => Ok(None),
    }
}

pub(super) fn ident(name: &str) -> Result<Ident, SqlError> {
    Ident::exact(name).map_err(|error| SqlError::new(error.to_string()))
}

pub(super) fn qname(schema: &str, name: &str) -> Result<QName, SqlError> {
    let schema = if schema.is_empty() { None } else { Some(ident(schema)?) };
    Ok(QName { schema, name: ident(name)? })
}
