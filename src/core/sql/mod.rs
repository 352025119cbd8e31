//! Reads SQL with PostgreSQL's own grammar: splitting, classification, references.
