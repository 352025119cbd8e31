//! Compiles index steps: always concurrent, alone, outside any transaction.

use super::{At, CompileError};
use crate::core::ident::{QName, plain};
use crate::core::plan::model::IndexSpec;
use crate::core::sql::{self, Kind};
use crate::core::step::{Action, IndexBuild, Step, Undo};

pub(super) fn build(at: &At, spec: &IndexSpec) -> Result<Step, CompileError> {
    let build = IndexBuild {
        table: spec.table.clone(),
        name: spec.name.clone(),
        create: spec.create(),
        unique: spec.unique,
    };
    // What the plan's author wrote inside must not reach outside.
    match sql::split(&build.create).map_err(|error| at.error(format!("index: {error}")))?.as_slice() {
        [only] if matches!(only.kind, Kind::BuildIndex(_)) => {}
        _ => return Err(at.error("index: columns and where must be expressions, nothing more")),
    }
    let undo = Undo::Run(Action::DropIndex { index: build.index(), if_exists: false });
    let title = format!("build index {} on {}", plain(&spec.name), spec.table.plain());
    Ok(at.step(title, Action::BuildIndex(build), undo))
}

pub(super) fn drop(at: &At, index: &QName) -> Step {
    at.step(
        format!("drop index {}", index.plain()),
        Action::DropIndex { index: index.clone(), if_exists: false },
        Undo::Recorded,
    )
}
