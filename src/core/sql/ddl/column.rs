//! Reads column definitions, constraints and types.

use pg_query::protobuf::a_const::Val;
use pg_query::protobuf::node::Node;
use pg_query::protobuf::{
    BoolExprType, ColumnDef, ConstrType, Constraint, Node as Tree, NullTestType, TypeName,
};

use super::deparse;
use super::objects::{calls, idents, name, relation, words};
use super::{Demand, Generated, Inline, NewColumn, NewConstraint, NewDefault, TypeRef};
use crate::core::ident::{Ident, QName};
use crate::core::sql::classify::ident;
use crate::core::sql::parse::{SqlError, expression_text, first_node, json, string, walk, with_tree};

/// A column, and the constraints that stand in its definition.
pub(super) fn column(def: &ColumnDef) -> Result<(NewColumn, Vec<NewConstraint>), SqlError> {
    // A partition, or a table of a type, has its columns' types from there.
    let kind =
        def.type_name.as_ref().map_or_else(|| Ok(TypeRef::inherited()), |kind| type_ref(Some(kind)))?;
    let serial = kind.is_serial();
    let mut column = NewColumn {
        name: ident(&def.colname)?,
        kind,
        collation: collation(def)?,
        not_null: def.is_not_null || serial,
        default: None,
        identity: false,
        always: false,
        generated: None,
        perhaps: false,
    };
    if serial {
        column.default =
            Some(NewDefault { text: "nextval".into(), calls: vec![super::objects::joined(&["nextval"])?] });
    }
    let mut constraints = Vec::new();
    for constraint in constraints_of(&def.constraints) {
        match constraint.contype() {
            ConstrType::ConstrNotnull => column.not_null = true,
            ConstrType::ConstrDefault => {
                column.default =
                    constraint.raw_expr.as_deref().filter(|expr| !is_null(expr)).map(default).transpose()?;
            }
            ConstrType::ConstrIdentity => {
                (column.identity, column.not_null) = (true, true);
                column.always = constraint.generated_when == "a";
            }
            ConstrType::ConstrGenerated => {
                let stored = constraint.generated_kind == "s";
                column.generated = Some(if stored { Generated::Stored } else { Generated::Virtual });
            }
            ConstrType::ConstrPrimary => {
                column.not_null = true;
                constraints.extend(inline(constraint, &column.name)?);
            }
            _ => constraints.extend(inline(constraint, &column.name)?),
        }
    }
    let filled = column.default.is_some() || column.identity || column.generated.is_some();
    for constraint in &mut constraints {
        constraint.inline = Some(Inline { filled });
    }
    Ok((column, constraints))
}

/// A constraint inside a column's definition, as one of the table.
fn inline(of: &Constraint, column: &Ident) -> Result<Option<NewConstraint>, SqlError> {
    let mut of = of.clone();
    let named = || {
        vec![Tree { node: Some(Node::String(pg_query::protobuf::String { sval: column.as_str().into() })) }]
    };
    match of.contype() {
        ConstrType::ConstrForeign => of.fk_attrs = named(),
        ConstrType::ConstrUnique | ConstrType::ConstrPrimary => of.keys = named(),
        _ => {}
    }
    let constraint = constraint(&of)?;
    Ok(constraint.map(|constraint| NewConstraint { columns: vec![column.clone()], ..constraint }))
}

/// The collation that a column's definition names.
pub(super) fn collation(def: &ColumnDef) -> Result<Option<QName>, SqlError> {
    def.coll_clause.as_ref().map(|clause| name(&clause.collname)).transpose()
}

pub(super) fn constraints_of(nodes: &[Tree]) -> impl Iterator<Item = &Constraint> {
    nodes.iter().filter_map(|node| match &node.node {
        Some(Node::Constraint(constraint)) => Some(constraint.as_ref()),
        _ => None,
    })
}

/// A constraint; `None` for what is an attribute of one.
pub(super) fn constraint(of: &Constraint) -> Result<Option<NewConstraint>, SqlError> {
    let index = if of.indexname.is_empty() { None } else { Some(ident(&of.indexname)?) };
    let (demand, columns) = match (of.contype(), index) {
        (ConstrType::ConstrNotnull, _) => (Demand::NotNull, idents(&of.keys)?),
        (ConstrType::ConstrCheck, _) => {
            let (mut proves, mut text, mut columns) = (Vec::new(), String::new(), Vec::new());
            if let Some(expr) = &of.raw_expr {
                columns = columns_of(expr)?;
                proven(expr, &mut proves)?;
                text = expression_text(expr)?;
            }
            (Demand::Check { text, proves }, columns)
        }
        (ConstrType::ConstrUnique, Some(index)) => (Demand::UsingIndex { primary: false, index }, Vec::new()),
        (ConstrType::ConstrPrimary, Some(index)) => (Demand::UsingIndex { primary: true, index }, Vec::new()),
        (ConstrType::ConstrUnique, None) => (Demand::Unique, idents(&of.keys)?),
        (ConstrType::ConstrPrimary, None) => (Demand::Primary, idents(&of.keys)?),
        (ConstrType::ConstrExclusion, _) => (Demand::Exclude, Vec::new()),
        (ConstrType::ConstrForeign, _) => {
            let demand =
                Demand::Foreign { to: relation(of.pktable.as_ref())?, columns: idents(&of.pk_attrs)? };
            (demand, idents(&of.fk_attrs)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(NewConstraint {
        name: if of.conname.is_empty() { None } else { Some(ident(&of.conname)?) },
        demand,
        columns,
        // The parser leaves is_enforced false where it has no meaning.
        not_valid: of.skip_validation || binds(of) && !of.is_enforced,
        no_inherit: of.is_no_inherit,
        definition: deparse::constraint(of)?,
        index: deparse::key_index(of)?,
        inline: None,
    }))
}

/// Whether a constraint may be NOT ENFORCED.
fn binds(of: &Constraint) -> bool {
    matches!(of.contype(), ConstrType::ConstrCheck | ConstrType::ConstrForeign)
}

/// The columns that an expression names, each once.
pub(super) fn columns_of(expr: &impl serde::Serialize) -> Result<Vec<Ident>, SqlError> {
    let mut found: Vec<Ident> = Vec::new();
    walk(&json(expr)?, &mut |name, fields| {
        let parts = fields.get("fields").and_then(serde_json::Value::as_array);
        if name == "ColumnRef"
            && let Some(last) = parts.and_then(|parts| parts.last()).and_then(string)
            && let Ok(column) = ident(last)
            && !found.contains(&column)
        {
            found.push(column);
        }
    });
    Ok(found)
}

/// The columns that cannot be null where `expr` is true: the conjuncts `c IS NOT NULL`.
fn proven(expr: &Tree, found: &mut Vec<Ident>) -> Result<(), SqlError> {
    match &expr.node {
        Some(Node::BoolExpr(and)) if and.boolop() == BoolExprType::AndExpr => {
            for arg in &and.args {
                proven(arg, found)?;
            }
        }
        Some(Node::NullTest(test)) if test.nulltesttype() == NullTestType::IsNotNull => {
            if let Some(Node::ColumnRef(column)) = test.arg.as_ref().and_then(|arg| arg.node.as_ref())
                && let [only] = words(&column.fields).as_slice()
            {
                found.push(ident(only)?);
            }
        }
        _ => {}
    }
    Ok(())
}

/// The columns that hold no null where an expression is true, as far as its
/// conjuncts say so in words.
///
/// # Errors
/// When it does not parse.
pub fn proven_not_null(expr: &str) -> Result<Vec<Ident>, SqlError> {
    with_tree(&format!("SELECT WHERE ({expr}\n)"), |tree| {
        let mut found = Vec::new();
        let node = first_node(tree);
        if let Some(Node::SelectStmt(select)) = node
            && let Some(predicate) = &select.where_clause
        {
            proven(predicate, &mut found)?;
        }
        Ok(found)
    })
}

/// A type by its text, as SQL writes it.
///
/// # Errors
/// When it is no type, or one that only CREATE TABLE knows (serial).
pub fn read_type(text: &str) -> Result<TypeRef, SqlError> {
    with_tree(&format!("SELECT CAST(NULL AS {text}\n)"), |tree| {
        let node = first_node(tree);
        let target = match node {
            Some(Node::SelectStmt(select)) if tree.stmts.len() == 1 && select.target_list.len() == 1 => {
                select.target_list.first().and_then(|target| target.node.as_ref())
            }
            _ => None,
        };
        let value = match target {
            Some(Node::ResTarget(target)) => target.val.as_ref().and_then(|value| value.node.as_ref()),
            _ => None,
        };
        let Some(Node::TypeCast(cast)) = value else { return Err(SqlError::new("this is no type")) };
        let kind = type_ref(cast.type_name.as_ref())?;
        if kind.is_serial() {
            return Err(SqlError::new(
                "serial is no type: write integer or bigint with identity: by_default",
            ));
        }
        Ok(kind)
    })
}

pub(super) fn is_null(expr: &Tree) -> bool {
    match &expr.node {
        Some(Node::AConst(constant)) => constant.isnull,
        Some(Node::TypeCast(cast)) => cast.arg.as_deref().is_some_and(is_null),
        _ => false,
    }
}

/// A default by its expression.
///
/// # Errors
/// When it does not parse.
pub fn read_default(expr: &str) -> Result<NewDefault, SqlError> {
    with_tree(&format!("SELECT WHERE ({expr}\n)"), |tree| {
        let node = first_node(tree);
        match node {
            Some(Node::SelectStmt(select)) => match &select.where_clause {
                Some(expr) => default(expr),
                None => Err(SqlError::new("a default without a value")),
            },
            _ => Err(SqlError::new("a default without a value")),
        }
    })
}

pub(super) fn default(expr: &Tree) -> Result<NewDefault, SqlError> {
    Ok(NewDefault { text: expression_text(expr)?, calls: calls(expr)? })
}

/// A type as it is written.
pub(super) fn type_ref(of: Option<&TypeName>) -> Result<TypeRef, SqlError> {
    let of = of.ok_or_else(|| SqlError::new("a column without a type"))?;
    let words = words(&of.names);
    let (schema, name) = match words.as_slice() {
        [name] => (None, *name),
        [.., schema, name] => (Some(*schema), *name),
        [] => return Err(SqlError::new("a type without a name")),
    };
    let modifier = |node: &Tree| match &node.node {
        Some(Node::AConst(constant)) => match &constant.val {
            Some(Val::Ival(number)) => Some(number.ival),
            _ => None,
        },
        _ => None,
    };
    Ok(TypeRef {
        schema: schema.filter(|schema| *schema != "pg_catalog").map(ident).transpose()?,
        name: name.to_owned(),
        modifiers: of.typmods.iter().filter_map(modifier).collect(),
        array: !of.array_bounds.is_empty(),
        built_in: schema == Some("pg_catalog"),
        text: deparse::type_name(of)?,
    })
}
