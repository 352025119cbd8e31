//! Reads one statement of any kind into its changes.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{
    CommentStmt, DropBehavior, DropStmt, Node as Tree, ObjectType, RenameStmt, VariableSetKind,
    VariableSetStmt,
};

use super::alter::alter;
use super::objects::{joined, kind, name, object, part, reads, relation, relations};
use super::{Change, Object, Part, Renamed, Verb, create, domain, index, write};
use crate::core::ident::{Ident, QName};
use crate::core::sql::classify::ident;
use crate::core::sql::parse::{SqlError, json};

/// What a statement changes; never empty.
///
/// # Errors
/// When a name in it cannot be one of PostgreSQL's.
pub(in crate::core::sql) fn changes(node: &Node) -> Result<Vec<Change>, SqlError> {
    let one = match node {
        Node::AlterTableStmt(statement) => return alter(statement),
        Node::CreateStmt(statement) => return create::table(statement),
        Node::CreateForeignTableStmt(_) => Change::Nothing,
        Node::CompositeTypeStmt(statement) => {
            Change::Create { of: Object::Type, name: relation(statement.typevar.as_ref())? }
        }
        Node::CreateEnumStmt(statement) => {
            Change::Create { of: Object::Type, name: name(&statement.type_name)? }
        }
        Node::CreateRangeStmt(statement) => {
            Change::Create { of: Object::Type, name: name(&statement.type_name)? }
        }
        Node::CreateSeqStmt(statement) => {
            Change::Create { of: Object::Sequence, name: relation(statement.sequence.as_ref())? }
        }
        Node::CreateTableAsStmt(statement) => {
            return write::with_calls(create::filled(statement)?, &statement.query);
        }
        Node::CreateSchemaStmt(statement) => return inside(&statement.schemaname, &statement.schema_elts),
        Node::IndexStmt(statement) => Change::CreateIndex(index::index(statement)?),
        Node::ReindexStmt(statement) => index::reindex(statement)?,
        Node::DropStmt(statement) => drop(statement)?,
        Node::RenameStmt(statement) => rename(statement)?,
        Node::AlterObjectSchemaStmt(statement) => match &statement.relation {
            Some(table) => {
                Change::SetSchema { of: kind(statement.object_type()), table: relation(Some(table))? }
            }
            None => moved(statement.object_type(), statement.object.as_deref())?,
        },
        Node::ViewStmt(statement) => Change::CreateView {
            view: relation(statement.view.as_ref())?,
            replace: statement.replace,
            reads: reads(&statement.query)?,
        },
        Node::TruncateStmt(statement) => Change::Truncate(relations(&statement.relations)?),
        Node::LockStmt(statement) => {
            Change::LockTable { tables: relations(&statement.relations)?, mode: statement.mode }
        }
        Node::VacuumStmt(statement) => index::vacuum(statement)?,
        Node::ClusterStmt(statement) => {
            Change::Cluster(statement.relation.as_ref().map(|table| relation(Some(table))).transpose()?)
        }
        Node::RefreshMatViewStmt(statement) => Change::Refresh {
            view: relation(statement.relation.as_ref())?,
            concurrently: statement.concurrent,
        },
        Node::CreateTrigStmt(statement) => Change::OnTable {
            part: Part::Trigger,
            verb: Verb::Create,
            table: relation(statement.relation.as_ref())?,
            other: statement.constrrel.as_ref().map(|table| relation(Some(table))).transpose()?,
        },
        Node::CreatePolicyStmt(statement) => {
            on(Part::Policy, Verb::Create, relation(statement.table.as_ref())?)
        }
        Node::AlterPolicyStmt(statement) => {
            on(Part::Policy, Verb::Alter, relation(statement.table.as_ref())?)
        }
        Node::RuleStmt(statement) => on(Part::Rule, Verb::Create, relation(statement.relation.as_ref())?),
        Node::CreateStatsStmt(statement) => match relations(&statement.relations)?.pop() {
            Some(table) => on(Part::Statistics, Verb::Create, table),
            None => Change::Nothing,
        },
        Node::AlterPublicationStmt(statement) => return published(&statement.pubobjects),
        Node::CreatePublicationStmt(statement) => return published(&statement.pubobjects),
        Node::GrantStmt(statement) if statement.objtype() == ObjectType::ObjectTable => {
            let tables = relations(&statement.objects)?;
            return Ok(some(
                tables.into_iter().map(|table| on(Part::Privilege, Verb::Alter, table)).collect(),
            ));
        }
        Node::CommentStmt(statement) => comment(statement)?,
        Node::AlterDomainStmt(statement) => domain::alter(statement)?,
        Node::CreateDomainStmt(statement) => domain::new(statement)?,
        Node::AlterEnumStmt(statement) if statement.old_val.is_empty() => {
            Change::AddEnumValue { kind: name(&statement.type_name)?, value: statement.new_val.clone() }
        }
        Node::AlterEnumStmt(statement) => {
            Change::Moved { of: Object::Type, name: name(&statement.type_name)? }
        }
        Node::CreateFunctionStmt(statement) => {
            Change::Create { of: Object::Function, name: name(&statement.funcname)? }
        }
        Node::DoStmt(_) => Change::Opaque("DO"),
        Node::CallStmt(_) => Change::Opaque("CALL"),
        Node::ExecuteStmt(_) => Change::Opaque("EXECUTE"),
        Node::CreateExtensionStmt(_) => Change::Opaque("CREATE EXTENSION"),
        Node::AlterExtensionStmt(_) => Change::Opaque("ALTER EXTENSION"),
        Node::DropOwnedStmt(_) => Change::Opaque("DROP OWNED"),
        Node::ReassignOwnedStmt(_) => Change::Opaque("REASSIGN OWNED"),
        Node::AlterTableMoveAllStmt(_) => Change::Opaque("ALTER … ALL IN TABLESPACE"),
        Node::ImportForeignSchemaStmt(_) => Change::Nothing,
        Node::VariableSetStmt(statement) => set(statement),
        other => match write::rows(other)? {
            Some(changes) => return Ok(changes),
            None => rest(other)?,
        },
    };
    Ok(vec![one])
}

/// A statement that does nothing to a table is told apart from one that nobody thought of.
fn rest(node: &Node) -> Result<Change, SqlError> {
    let named = json(node)?;
    let kind = named.as_object().and_then(|fields| fields.keys().next()).cloned().unwrap_or_default();
    let table = [
        "AlterTableStmt",
        "AlterTypeStmt",
        "AlterEventTrigStmt",
        "CreateEventTrigStmt",
        "LoadStmt",
        "SecLabelStmt",
    ];
    Ok(if table.contains(&kind.as_str()) { Change::Unknown(kind) } else { Change::Nothing })
}

fn some(changes: Vec<Change>) -> Vec<Change> {
    if changes.is_empty() { vec![Change::Nothing] } else { changes }
}

fn on(part: Part, verb: Verb, table: QName) -> Change {
    Change::OnTable { part, verb, table, other: None }
}

/// The statements inside CREATE SCHEMA.
fn inside(schema: &str, elements: &[Tree]) -> Result<Vec<Change>, SqlError> {
    let schema = if schema.is_empty() { None } else { Some(ident(schema)?) };
    let made = |name: &Ident| Change::Create { of: Object::Schema, name: bare(name) };
    let mut all: Vec<Change> = schema.iter().map(made).collect();
    for node in elements.iter().filter_map(|element| element.node.as_ref()) {
        for mut change in changes(node)? {
            if let Change::CreateTable { table, .. } | Change::CreateTableConstraint { table, .. } =
                &mut change
                && table.schema.is_none()
            {
                table.schema.clone_from(&schema);
            }
            all.push(change);
        }
    }
    Ok(some(all))
}

fn bare(name: &Ident) -> QName {
    QName { schema: None, name: name.clone() }
}

fn drop(of: &DropStmt) -> Result<Change, SqlError> {
    let names: Vec<Vec<&str>> = of.objects.iter().map(object).collect::<Result<_, _>>()?;
    // The last word is the part, those before it the table.
    if let Some(part) = part(of.remove_type()) {
        let table = names.first().and_then(|words| words.split_last()).map(|(_, table)| joined(table));
        return Ok(table.transpose()?.map_or(Change::Nothing, |table| on(part, Verb::Drop, table)));
    }
    let cascade = of.behavior() == DropBehavior::DropCascade;
    let kind = kind(of.remove_type());
    // A cast, for one, is named by types alone.
    let named = |words: &&Vec<&str>| kind != Object::Other || !words.is_empty();
    let names = names.iter().filter(named).map(|words| joined(words)).collect::<Result<_, _>>()?;
    Ok(Change::Drop { of: kind, names, concurrently: of.concurrent, cascade })
}

fn rename(of: &RenameStmt) -> Result<Change, SqlError> {
    let renamed = match of.rename_type() {
        ObjectType::ObjectTable | ObjectType::ObjectForeignTable => Renamed::Table,
        ObjectType::ObjectColumn => Renamed::Column,
        ObjectType::ObjectTabconstraint => Renamed::Constraint,
        ObjectType::ObjectIndex => Renamed::Index,
        ObjectType::ObjectView | ObjectType::ObjectMatview => Renamed::View,
        ObjectType::ObjectTrigger | ObjectType::ObjectRule | ObjectType::ObjectPolicy => Renamed::Part,
        ObjectType::ObjectSchema => {
            return Ok(Change::Moved { of: Object::Schema, name: bare(&ident(&of.subname)?) });
        }
        other => {
            return match &of.relation {
                Some(named) => Ok(Change::Moved { of: kind(other), name: relation(Some(named))? }),
                None => moved(other, of.object.as_deref()),
            };
        }
    };
    let Some(table) = &of.relation else { return Ok(Change::Nothing) };
    let table = relation(Some(table))?;
    let from = if of.subname.is_empty() { table.name.clone() } else { ident(&of.subname)? };
    Ok(Change::Rename { of: renamed, table, from, to: ident(&of.newname)? })
}

/// Another name or schema for what is no relation; what else there is, the application does not name.
fn moved(of: ObjectType, object_of: Option<&Tree>) -> Result<Change, SqlError> {
    let named = object_of.map(object).transpose();
    Ok(match (kind(of), named) {
        (of @ (Object::Type | Object::Function | Object::Sequence), Ok(Some(words))) => {
            Change::Moved { of, name: joined(&words)? }
        }
        _ => Change::Nothing,
    })
}

fn published(objects: &[Tree]) -> Result<Vec<Change>, SqlError> {
    let mut changes = Vec::new();
    for node in objects {
        if let Some(Node::PublicationObjSpec(of)) = &node.node
            && let Some(table) = &of.pubtable
        {
            changes.push(on(Part::Publication, Verb::Alter, relation(table.relation.as_ref())?));
        }
    }
    Ok(some(changes))
}

fn comment(of: &CommentStmt) -> Result<Change, SqlError> {
    let words = of.object.as_deref().map(object).transpose();
    let table = match (of.objtype(), words) {
        (ObjectType::ObjectTable | ObjectType::ObjectView | ObjectType::ObjectMatview, Ok(Some(words))) => {
            joined(&words)?
        }
        // The last word is the part.
        (
            ObjectType::ObjectColumn
            | ObjectType::ObjectTabconstraint
            | ObjectType::ObjectTrigger
            | ObjectType::ObjectPolicy
            | ObjectType::ObjectRule,
            Ok(Some(words)),
        ) if words.len() > 1 => joined(&words[..words.len() - 1])?,
        _ => return Ok(Change::Nothing),
    };
    Ok(Change::Comment(table))
}

fn set(of: &VariableSetStmt) -> Change {
    let value = match of.args.as_slice() {
        [Tree { node: Some(Node::AConst(constant)) }] => write::constant(constant),
        _ => None,
    };
    let all = of.kind() == VariableSetKind::VarResetAll;
    let name = if all { "lock_timeout".to_owned() } else { of.name.to_ascii_lowercase() };
    Change::Set { name, value }
}
