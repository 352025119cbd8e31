//! Reads CREATE DOMAIN and ALTER DOMAIN.

use pg_query::protobuf::node::Node;
use pg_query::protobuf::{AlterDomainStmt, ConstrType, Constraint, CreateDomainStmt};

use super::column::{constraints_of, default, is_null, type_ref};
use super::objects::name;
use super::{Change, DomainChange};
use crate::core::sql::parse::SqlError;

pub(super) fn new(of: &CreateDomainStmt) -> Result<Change, SqlError> {
    let given = constraints_of(&of.constraints).find(|one| one.contype() == ConstrType::ConstrDefault);
    let given = given.and_then(|one| one.raw_expr.as_deref()).filter(|expr| !is_null(expr));
    Ok(Change::CreateDomain {
        domain: name(&of.domainname)?,
        base: type_ref(of.type_name.as_ref())?,
        constrained: constraints_of(&of.constraints).any(constrains),
        default: given.map(default).transpose()?,
    })
}

pub(super) fn alter(of: &AlterDomainStmt) -> Result<Change, SqlError> {
    // The letters are those of PostgreSQL's grammar.
    let what = match of.subtype.as_str() {
        "C" => DomainChange::Add {
            not_valid: match of.def.as_ref().and_then(|def| def.node.as_ref()) {
                Some(Node::Constraint(constraint)) => constraint.skip_validation,
                _ => false,
            },
        },
        "V" => DomainChange::Validate,
        "O" => DomainChange::SetNotNull,
        _ => DomainChange::Light,
    };
    Ok(Change::Domain { domain: name(&of.type_name)?, what })
}

/// Whether a constraint of a domain binds its values; DEFAULT and NULL do not.
fn constrains(of: &Constraint) -> bool {
    matches!(of.contype(), ConstrType::ConstrNotnull | ConstrType::ConstrCheck)
}
