//! Owns the plan that `phase new --change sql` writes: every section of the recipe, to be filled in.

/// The sections, with names that nobody has.
const SECTIONS: &str = "\
change:
  - sql:                      # sections that are not needed can go; other changes may stand before and after
      expand:                 # the new shape beside the old; runs before the new code ships
        - sql: ALTER TABLE my_table ADD COLUMN my_new text
          undo: ALTER TABLE my_table DROP COLUMN my_new
        - sync: {table: my_table, set: {my_new: my_old}, back: {my_old: my_new}}
      backfill:               # rows that were there before, batch by batch
        - {table: my_table, set: {my_new: my_old}, where: my_new IS NULL}
      validate:               # proofs on the new shape
        - not_null: {table: my_table, column: my_new}
      contract:               # the old shape goes, when nothing needs it
        - drop_column: {table: my_table, column: my_old}
gates:
  contract: {deployed: APP@VERSION}   # the first version that does without what contract takes away
keep: 7d                              # undo window: abort still leads back after contract
";

/// The text of the plan.
pub(super) fn text(title: &str) -> String {
    format!("title: {title}\n{SECTIONS}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::core::compile::{self, Server};
    use crate::core::plan::{Source, parse};
    use crate::core::recipe::{Known, written};
    use crate::core::step::Phase;
    use crate::core::version::Version;

    #[test]
    fn the_skeleton_is_valid_and_has_every_phase() {
        let (version, text) = (Version::parse("1").unwrap(), super::text("x"));
        let source = Source { file: "1_x.yaml", version: &version, name: "x", text: &text };
        let plan = parse(&source, &|_| Err("no files here".into())).unwrap();
        assert!(plan.cautions().is_empty(), "{:?}", plan.cautions());
        assert_eq!(plan.gates.unnamed().len(), 1);
        let plan = written(&plan, &Known::default()).plan;
        let steps = compile::plan(&plan, Server::NEWEST).unwrap();
        for phase in [Phase::Expand, Phase::Backfill, Phase::Validate, Phase::Contract] {
            assert!(steps.iter().any(|step| step.phase == phase), "{phase}");
        }
    }
}
