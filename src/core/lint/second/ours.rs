//! Owns what squawk's rules mean here: which of this program's own rules judge
//! the same, which do not fit, and which add something.

/// What one of squawk's rules means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// These rules judge the same, with more knowledge of the table, the phase and the server.
    Judged(&'static [&'static str]),
    /// It takes something from the application: before contract this is worth a word.
    Breaks,
    /// It asks for what the program does by itself, or refuses anyway.
    Unfit,
    /// Nothing here says the same.
    Adds,
}

/// The rule of this program for what breaks the running application.
pub(super) const OLD_SHAPE: &[&str] = &["expand-breaks-application"];

/// What a rule means here; one that is not known yet adds something.
pub(super) fn meaning(rule: &str) -> Meaning {
    match rule {
        // Each statement has lock_timeout and statement_timeout, a step and its record commit
        // together and are not run twice, BEGIN and COMMIT are refused, comments are blanked.
        "require-lock-timeout"
        | "require-statement-timeout"
        | "require-timeout-settings"
        | "prefer-robust-stmts"
        | "transaction-nesting"
        | "ban-uncommitted-transaction"
        | "ban-concurrent-index-creation-in-transaction"
        | "unused-ignore" => Meaning::Unfit,
        "require-concurrent-index-creation" => Meaning::Judged(&["create-index", "create-index-partitioned"]),
        "require-concurrent-index-deletion" => Meaning::Judged(&["drop-index"]),
        "require-concurrent-reindex" => Meaning::Judged(&["reindex-index", "reindex-table", "reindex-wide"]),
        "require-concurrent-partition-detach" => {
            Meaning::Judged(&["detach-partition", "detach-partition-beside-default", "detach-partition-13"])
        }
        "constraint-missing-not-valid" => {
            Meaning::Judged(&["add-check", "add-foreign-key", "add-not-null", "work-under-lock"])
        }
        "adding-foreign-key-constraint" => Meaning::Judged(&["add-foreign-key", "add-column-references"]),
        "adding-field-with-default" => {
            Meaning::Judged(&["add-column-volatile-default", "add-column-generated-stored"])
        }
        "adding-not-nullable-field" => Meaning::Judged(&["set-not-null"]),
        "adding-required-field" => Meaning::Judged(&["add-column-not-null", "expand-breaks-application"]),
        "adding-serial-primary-key-field" => {
            Meaning::Judged(&["add-primary-key", "add-column-serial", "add-column-identity"])
        }
        "disallowed-unique-constraint" => Meaning::Judged(&["add-unique"]),
        "changing-column-type" => {
            Meaning::Judged(&["alter-type", "alter-type-check", "alter-type-timestamptz", "statistics-lost"])
        }
        "ban-alter-domain-with-add-constraint" => Meaning::Judged(&["domain-add-constraint"]),
        "prefer-repack" => Meaning::Judged(&["vacuum-full", "cluster"]),
        "ban-drop-column" | "ban-drop-table" | "renaming-column" | "renaming-table" => {
            Meaning::Judged(OLD_SHAPE)
        }
        _ if rule.starts_with("ban-drop-") || rule.starts_with("renaming-") || rule == "ban-set-schema" => {
            Meaning::Breaks
        }
        _ => Meaning::Adds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_judge_the_same_exist() {
        for rule in [
            "require-concurrent-index-creation",
            "require-concurrent-index-deletion",
            "require-concurrent-reindex",
            "require-concurrent-partition-detach",
            "constraint-missing-not-valid",
            "adding-foreign-key-constraint",
            "adding-field-with-default",
            "adding-not-nullable-field",
            "adding-required-field",
            "adding-serial-primary-key-field",
            "disallowed-unique-constraint",
            "changing-column-type",
            "ban-alter-domain-with-add-constraint",
            "prefer-repack",
            "ban-drop-column",
        ] {
            let Meaning::Judged(ours) = meaning(rule) else { unreachable!("{rule}") };
            assert!(squawk_linter::Rule::try_from(rule).is_ok(), "{rule} is none of squawk's");
            let names = crate::core::lint::names();
            assert!(ours.iter().all(|our| names.contains(our)), "{rule}: {ours:?}");
        }
    }
}
