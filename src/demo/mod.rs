//! Shows a whole change under load: a throwaway server, an application in two
//! versions that never stops writing, and two plans through all their phases,
//! by the very commands that a person would type.

mod app;
mod oracle;
mod report;
mod stage;

pub use report::Report;
pub use stage::{Demo, DemoError, Give, play};

/// The example project, as the demo runs it.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("migrations/20261101090000_users.sql", include_str!("../../migrations/20261101090000_users.sql")),
    ("migrations/20261102090000_orders.sql", include_str!("../../migrations/20261102090000_orders.sql")),
    (
        "migrations/20261103090000_orders_user_index.sql",
        include_str!("../../migrations/20261103090000_orders_user_index.sql"),
    ),
    (
        "plans/20261110090000_users_display_name.yaml",
        include_str!("../../plans/20261110090000_users_display_name.yaml"),
    ),
    (
        "plans/20261111090000_orders_currency.yaml",
        include_str!("../../plans/20261111090000_orders_currency.yaml"),
    ),
];
