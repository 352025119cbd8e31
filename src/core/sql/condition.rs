//! Reads a condition over the columns of one row into a form that can be
//! reasoned about: what it is not sure of is `Other`.

use pg_query::protobuf::a_const::Val;
use pg_query::protobuf::node::Node;
use pg_query::protobuf::{AExprKind, BoolExprType, Node as Tree, NullTestType};

use super::classify::ident;
use super::parse::{SqlError, first_node, with_tree};
use crate::core::ident::Ident;

/// A condition over one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All of them hold.
    All(Vec<Self>),
    /// One of them holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// A column is not null.
    NotNull(Ident),
    /// A column compared with a constant.
    Compare(Ident, Compare, Literal),
    /// A column is one of some constants.
    In(Ident, Vec<Literal>),
    /// Anything else.
    Other,
}

/// How a column is compared with a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `<>`
    Different,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

/// A constant, as it is written, without its casts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(pub String);

/// Reads a condition.
///
/// # Errors
/// When it does not parse.
pub fn condition(expr: &str) -> Result<Condition, SqlError> {
    with_tree(&format!("SELECT WHERE ({expr}\n)"), |tree| {
        let node = first_node(tree);
        Ok(match node {
            Some(Node::SelectStmt(select)) => select.where_clause.as_deref().map_or(Condition::Other, read),
            _ => Condition::Other,
        })
    })
}

/// A constant with or without casts.
pub(super) fn literal(node: &Tree) -> Option<Literal> {
    match node.node.as_ref()? {
        Node::AConst(constant) => Some(Literal(match constant.val.as_ref()? {
            Val::Ival(number) => number.ival.to_string(),
            Val::Fval(number) => number.fval.clone(),
            Val::Sval(text) => text.sval.clone(),
            Val::Boolval(truth) => truth.boolval.to_string(),
            Val::Bsval(_) => return None,
        })),
        Node::TypeCast(cast) => literal(cast.arg.as_deref()?),
        Node::AExpr(minus) if minus.lexpr.is_none() && operator(&minus.name) == Some("-") => {
            literal(minus.rexpr.as_deref()?).map(|Literal(text)| Literal(format!("-{text}")))
        }
        _ => None,
    }
}

fn read(node: &Tree) -> Condition {
    let Some(node) = node.node.as_ref() else { return Condition::Other };
    match node {
        Node::BoolExpr(of) => {
            let args = || of.args.iter().map(read).collect();
            match of.boolop() {
                BoolExprType::AndExpr => Condition::All(args()),
                BoolExprType::OrExpr => Condition::Any(args()),
                BoolExprType::NotExpr => {
                    of.args.first().map_or(Condition::Other, |arg| Condition::Not(Box::new(read(arg))))
                }
                BoolExprType::Undefined => Condition::Other,
            }
        }
        Node::NullTest(test) => match (test.nulltesttype(), test.arg.as_deref().and_then(column)) {
            (NullTestType::IsNotNull, Some(column)) => Condition::NotNull(column),
            _ => Condition::Other,
        },
        Node::AExpr(of) => {
            let (Some(left), Some(right)) = (of.lexpr.as_deref(), of.rexpr.as_deref()) else {
                return Condition::Other;
            };
            comparison(of.kind(), operator(&of.name).unwrap_or_default(), left, right)
        }
        _ => Condition::Other,
    }
}

fn comparison(kind: AExprKind, operator: &str, left: &Tree, right: &Tree) -> Condition {
    let Some(column) = column(left) else { return Condition::Other };
    let compared = |how, value: &Tree| match literal(value) {
        Some(value) => Condition::Compare(column.clone(), how, value),
        None => Condition::Other,
    };
    let one_of = || values(right).map(|values| Condition::In(column.clone(), values));
    match (kind, operator) {
        (AExprKind::AexprOp, "<") => compared(Compare::Less, right),
        (AExprKind::AexprOp, "<=") => compared(Compare::AtMost, right),
        (AExprKind::AexprOp, "=") => compared(Compare::Equal, right),
        (AExprKind::AexprOp, "<>") => compared(Compare::Different, right),
        (AExprKind::AexprOp, ">=") => compared(Compare::AtLeast, right),
        (AExprKind::AexprOp, ">") => compared(Compare::Greater, right),
        (AExprKind::AexprIn | AExprKind::AexprOpAny, "=") => one_of().unwrap_or(Condition::Other),
        (AExprKind::AexprIn | AExprKind::AexprOpAll, "<>") => {
            one_of().map_or(Condition::Other, |one| Condition::Not(Box::new(one)))
        }
        (AExprKind::AexprBetween, _) => match ends(right) {
            Some([from, to]) => {
                Condition::All(vec![compared(Compare::AtLeast, from), compared(Compare::AtMost, to)])
            }
            None => Condition::Other,
        },
        _ => Condition::Other,
    }
}

/// The column that an expression is; that a varchar is cast to text changes nothing.
fn column(node: &Tree) -> Option<Ident> {
    match node.node.as_ref()? {
        Node::ColumnRef(of) => match of.fields.as_slice() {
            [Tree { node: Some(Node::String(name)) }] => ident(&name.sval).ok(),
            _ => None,
        },
        Node::TypeCast(cast) => {
            let last = cast.type_name.as_ref()?.names.last()?.node.as_ref()?;
            let text = matches!(last, Node::String(name) if name.sval == "text");
            cast.arg.as_deref().filter(|_| text).and_then(column)
        }
        _ => None,
    }
}

/// The constants of a list or of an array.
fn values(node: &Tree) -> Option<Vec<Literal>> {
    match node.node.as_ref()? {
        Node::List(list) => list.items.iter().map(literal).collect(),
        Node::AArrayExpr(array) => array.elements.iter().map(literal).collect(),
        Node::TypeCast(cast) => values(cast.arg.as_deref()?),
        _ => None,
    }
}

fn ends(node: &Tree) -> Option<[&Tree; 2]> {
    match node.node.as_ref()? {
        Node::List(list) => match list.items.as_slice() {
            [from, to] => Some([from, to]),
            _ => None,
        },
        _ => None,
    }
}

fn operator(name: &[Tree]) -> Option<&str> {
    match name.last()?.node.as_ref()? {
        Node::String(text) => Some(&text.sval),
        _ => None,
    }
}
