//! Owns the list of named queries: one file each in `sql/`, for a session whose
//! `search_path` is the metadata schema.

macro_rules! queries {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("sql/", $file, ".sql"));)*
        /// Every named query, for the test that prepares each on a real server.
        pub const ALL: &[(&str, &str)] = &[$(($file, $name)),*];
    };
}

queries! {
    APPROVALS = "approvals";
    APPROVE = "approve";
    BASELINE = "baseline";
    DEPLOYED = "deployed";
    FENCE = "fence";
    HISTORY = "history";
    HOLD_LIFT = "hold_lift";
    HOLD_OF = "hold_of";
    HOLD_PLACE = "hold_place";
    ITEMS = "items";
    LOCK_HOLDER = "lock_holder";
    LOCK_TAKEN = "lock_taken";
    MARKERS = "markers";
    NEXT_BATCH = "next_batch";
    NOW = "now";
    PROGRESS = "progress";
    RANGES_FORGET = "ranges_forget";
    RANGE_CLAIM = "range_claim";
    RANGE_EXISTS = "range_exists";
    RANGE_NEXT_PASS = "range_next_pass";
    REGISTER_ITEM = "register_item";
    RUNNER_ADD = "runner_add";
    SET_ERROR = "set_error";
    SET_GOAL = "set_goal";
    SET_STATE = "set_state";
    STEPS = "steps";
    STEP_FAILED = "step_failed";
    STEP_FINISHED = "step_finished";
    STEP_RESOLVE = "step_resolve";
    STEP_STARTED = "step_started";
    STEP_UNDONE = "step_undone";
    TAKE_OVER = "take_over";
    // Of the catalog: these run on the session that the work runs on.
    BLOCKERS = "catalog/blockers";
    INDEX_DEFINITION = "catalog/index_definition";
    INDEX_PROBE = "catalog/index_probe";
    INDEX_PROGRESS = "catalog/index_progress";
    KEY_COLUMNS = "catalog/key_columns";
    LOCK_SESSION = "catalog/lock_session";
    TABLE_COLUMNS = "catalog/table_columns";
    TABLE_EXISTS = "catalog/table_exists";
}

/// The upgrades of the metadata schema itself, in order; their numbers are
/// their versions.
pub(crate) const SCHEMA: &[(i32, &str)] = &[(1, include_str!("sql/schema/001_foundation.sql"))];
