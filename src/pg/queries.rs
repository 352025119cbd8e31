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
    APPROVAL_WITHDRAW = "approval_withdraw";
    AT_WORK = "at_work";
    APPROVE = "approve";
    BASELINE = "baseline";
    DEPLOYED = "deployed";
    FENCE = "fence";
    HISTORY = "history";
    HOLD_LIFT = "hold_lift";
    HOLD_OF = "hold_of";
    HOLD_PLACE = "hold_place";
    IMPACTS = "impacts";
    IMPACT_BEGINS = "impact_begins";
    IMPACT_ENDS = "impact_ends";
    IMPACT_SAYS = "impact_says";
    ITEMS = "items";
    LAST_EVENT = "last_event";
    LOCK_HOLDER = "lock_holder";
    LOCK_TAKEN = "lock_taken";
    MARKERS = "markers";
    NEXT_BATCH = "next_batch";
    NOTE = "note";
    NOW = "now";
    ORPHANS = "orphans";
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
    // Of gates.
    GATE_LOOK = "gate/look";
    GATE_LOOKS = "gate/looks";
    GATE_SIGHTINGS = "gate/sightings";
    // Of backfills.
    BACKFILL_AGAIN = "backfill/again";
    BACKFILL_BEAT = "backfill/beat";
    BACKFILL_DISPROVE = "backfill/disprove";
    BACKFILL_FORGET = "backfill/forget";
    BACKFILL_OPEN = "backfill/open";
    BACKFILL_PROGRESS = "backfill/progress";
    BACKFILL_RETRIED = "backfill/retried";
    BACKFILL_STANDING = "backfill/standing";
    BACKFILL_TUNE = "backfill/tune";
    BACKFILL_TUNED = "backfill/tuned";
    CHUNK = "backfill/chunk";
    CHUNK_CUT = "backfill/cut";
    CHUNK_LEASE = "backfill/lease";
    CHUNK_LEAVES = "backfill/leaves";
    CHUNK_RELEASE = "backfill/release";
    CHUNK_REVOKE = "backfill/revoke";
    PROOF_BEGIN = "backfill/prove";
    PROOF_END = "backfill/proven";
    PROOFS = "backfill/proofs";
    QUARANTINE_ADD = "backfill/quarantine_add";
    QUARANTINE_AGAIN = "backfill/quarantine_again";
    QUARANTINE_GONE = "backfill/quarantine_gone";
    QUARANTINE_OF = "backfill/quarantine_of";
    WORKERS = "backfill/workers";
    WORKER_ADD = "backfill/worker_add";
    WORKER_GONE = "backfill/worker_gone";
    // Of the server's health.
    SIGNAL_ARCHIVER = "signals/archiver";
    SIGNAL_BLOAT = "signals/bloat";
    SIGNAL_CHECKPOINTS = "signals/checkpoints";
    SIGNAL_CHECKPOINTS_17 = "signals/checkpoints_17";
    SIGNAL_POSITION = "signals/position";
    SIGNAL_REPLICAS = "signals/replicas";
    SIGNAL_SESSIONS = "signals/sessions";
    SIGNAL_SIZE = "signals/size";
    SIGNAL_SLOTS = "signals/slots";
    SIGNAL_TRAFFIC = "signals/traffic";
    SIGNAL_TRANSACTIONS = "signals/transactions";
    SIGNAL_WAITERS = "signals/waiters";
    SIGNAL_WRAPAROUND = "signals/wraparound";
    // Of the catalog: these run on the session that the work runs on.
    BLOCKERS = "catalog/blockers";
    DEADLOCK_TIMEOUT = "catalog/deadlock_timeout";
    DEPENDENTS = "catalog/dependents";
    END_SESSION = "catalog/end_session";
    KNOWN = "catalog/known";
    HOLDERS = "catalog/holders";
    LOCKS_OF = "catalog/locks_of";
    WAITING = "catalog/waiting";
    CATALOG_HOT = "catalog/hot";
    CATALOG_TRIGGERS = "catalog/triggers";
    DOMAINS = "catalog/domains";
    INDEX_ATTACHED = "catalog/index_attached";
    INDEX_DUPLICATES = "catalog/index_duplicates";
    INDEX_LEFTOVERS = "catalog/index_leftovers";
    HANGING = "catalog/hanging";
    ENUMS = "catalog/enums";
    INDEX_TABLE = "catalog/index_table";
    PARTITIONS = "catalog/partitions";
    INDEX_DEFINITION = "catalog/index_definition";
    INDEX_PROBE = "catalog/index_probe";
    INDEX_PROGRESS = "catalog/index_progress";
    KEY_COLUMNS = "catalog/key_columns";
    LEAVES = "catalog/leaves";
    LOCK_SESSION = "catalog/lock_session";
    NOT_NULL = "catalog/not_null";
    PARTITION_KEY = "catalog/partition_key";
    SESSION = "catalog/session";
    STANDING = "catalog/standing";
    STEADY = "catalog/steady";
    SYNC_TRIGGERS = "catalog/sync_triggers";
    TABLE_COLUMNS = "catalog/table_columns";
    TABLE_EXISTS = "catalog/table_exists";
    TRAFFIC = "catalog/traffic";
    WORLD = "catalog/world";
    // Of the catalog as a whole.
    SHAPE_BEHAVIOUR = "shape/behaviour";
    SHAPE_COLUMNS = "shape/columns";
    SHAPE_CONSTRAINTS = "shape/constraints";
    SHAPE_FUNCTIONS = "shape/functions";
    SHAPE_INDEXES = "shape/indexes";
    SHAPE_OTHERS = "shape/others";
    SHAPE_PRIVILEGES = "shape/privileges";
    SHAPE_RELATIONS = "shape/relations";
    SHAPE_SCHEMAS = "shape/schemas";
    SHAPE_TYPES = "shape/types";
    // Of a database that is made like another.
    COPY_COLUMNS = "copy/columns";
    COPY_FIRING = "copy/firing";
    COPY_IDENTITY = "copy/identity";
    COPY_MARKED = "copy/marked";
    COPY_REFERENCES = "copy/references";
    COPY_ROLES = "copy/roles";
    COPY_SETTINGS = "copy/settings";
    // Of other migration tools.
    IMPORT_TABLES = "import/tables";
    // Of a rehearsal.
    REHEARSE_AGAIN = "rehearse/again";
    REHEARSE_HELD = "rehearse/held";
    REHEARSE_LOOK = "rehearse/look";
    REHEARSE_TABLES = "rehearse/tables";
}

/// What reads the objects of some schemas, query by query.
pub(crate) const SHAPE_OF_SCHEMAS: &[&str] = &[
    SHAPE_RELATIONS,
    SHAPE_COLUMNS,
    SHAPE_CONSTRAINTS,
    SHAPE_INDEXES,
    SHAPE_BEHAVIOUR,
    SHAPE_FUNCTIONS,
    SHAPE_TYPES,
    SHAPE_PRIVILEGES,
    SHAPE_OTHERS,
];

/// The upgrades of the metadata schema itself, in order; their numbers are
/// their versions.
pub(crate) const SCHEMA: &[(i32, &str)] = &[
    (1, include_str!("sql/schema/001_foundation.sql")),
    (2, include_str!("sql/schema/002_backfill_engine.sql")),
    (3, include_str!("sql/schema/003_impact.sql")),
    (4, include_str!("sql/schema/004_at_work.sql")),
    (5, include_str!("sql/schema/005_recipes.sql")),
    (6, include_str!("sql/schema/006_gates.sql")),
];
