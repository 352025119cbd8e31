//! Owns the sync triggers: a sync step into the SQL that installs, turns round and removes it.
