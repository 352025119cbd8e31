//! Reads the names of what belongs to a table and is no column, and of what stands in no schema:
//! triggers, policies and rules; publications, extensions and event triggers.

use pg_query::protobuf::{DropBehavior, ObjectType};
use serde_json::Value;

use super::Reader;
use super::objects::{making, object_type};
use crate::core::ident::Ident;
use crate::core::sql::classify::ident;
use crate::core::sql::scope::{relation, strings, text};
use crate::core::sql::thing::{How, Piece, Thing, Wide};

impl Reader {
    /// CREATE and ALTER of a trigger, a policy or a rule.
    pub(super) fn piece(&mut self, statement: &str, fields: &Value) {
        let (piece, name, table, how) = match statement {
            "CreateTrigStmt" => (Piece::Trigger, "trigname", "relation", making(fields)),
            "RuleStmt" => (Piece::Rule, "rulename", "relation", making(fields)),
            "CreatePolicyStmt" => (Piece::Policy, "policy_name", "table", How::Makes),
            "AlterPolicyStmt" => (Piece::Policy, "policy_name", "table", How::Alters),
            _ => return,
        };
        let name = text(fields, name).and_then(|name| ident(name).ok());
        if let Some((table, name)) = fields.get(table).and_then(relation).zip(name) {
            self.add(Thing::Piece(piece, table, name), how);
        }
    }

    /// ALTER TRIGGER, POLICY and RULE … RENAME.
    pub(super) fn renamed_piece(&mut self, fields: &Value, to: &Ident) {
        let Some(piece) = object_type(fields, "rename_type").and_then(piece) else { return };
        let from = text(fields, "subname").and_then(|name| ident(name).ok());
        if let Some((table, from)) = fields.get("relation").and_then(relation).zip(from) {
            self.add(Thing::Piece(piece, table.clone(), from), How::Renames);
            self.add(Thing::Piece(piece, table, to.clone()), How::Makes);
        }
    }

    /// CREATE and ALTER of a publication, an extension or an event trigger.
    pub(super) fn wide(&mut self, statement: &str, fields: &Value) {
        let (wide, name, how) = match statement {
            "CreatePublicationStmt" => (Wide::Publication, "pubname", How::Makes),
            "AlterPublicationStmt" => (Wide::Publication, "pubname", How::Alters),
            "CreateExtensionStmt" => (Wide::Extension, "extname", making(fields)),
            "AlterExtensionStmt" | "AlterExtensionContentsStmt" => (Wide::Extension, "extname", How::Alters),
            "CreateEventTrigStmt" => {
                let function = strings(fields, "funcname");
                self.named(&function, How::Reads, |name| Thing::Function(name, None));
                (Wide::EventTrigger, "trigname", How::Makes)
            }
            _ => (Wide::EventTrigger, "trigname", How::Alters),
        };
        let name = text(fields, name).and_then(|name| ident(name).ok());
        name.into_iter().for_each(|name| self.add(Thing::Wide(wide, name), how));
    }

    /// CASCADE: what depends on it goes as well, and nobody knows what that is.
    pub(super) fn cascade(&mut self, fields: &Value) {
        let cascade = i64::from(DropBehavior::DropCascade as i32);
        self.found.cascades |= fields.get("behavior").and_then(Value::as_i64) == Some(cascade);
    }
}

/// What a kind of object is, where it belongs to a table and is no column.
pub(super) const fn piece(of: ObjectType) -> Option<Piece> {
    match of {
        ObjectType::ObjectTrigger => Some(Piece::Trigger),
        ObjectType::ObjectPolicy => Some(Piece::Policy),
        ObjectType::ObjectRule => Some(Piece::Rule),
        _ => None,
    }
}

/// What a kind of object is, where it stands in no schema.
pub(super) const fn wide(of: ObjectType) -> Option<Wide> {
    match of {
        ObjectType::ObjectPublication => Some(Wide::Publication),
        ObjectType::ObjectExtension => Some(Wide::Extension),
        ObjectType::ObjectEventTrigger => Some(Wide::EventTrigger),
        _ => None,
    }
}
