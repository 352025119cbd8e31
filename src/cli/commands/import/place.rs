//! Finds the table of the tool that is imported.

use tokio_postgres::Client;

use crate::cli::config::Config;
use crate::cli::exit::CommandError;
use crate::core::ident::QName;
use crate::core::import::Tool;
use crate::core::import::detect::{Found, fits, found, nearly};
use crate::pg::import::tables;

/// The one table that is meant.
pub(super) async fn table(
    client: &Client,
    config: &Config,
    from: Option<&str>,
    named: Option<&str>,
) -> Result<Found, CommandError> {
    let usage = |why: String| CommandError::Usage(why);
    let from = from.and_then(Tool::named);
    let named = named.map(QName::parse).transpose().map_err(|error| usage(format!("--table: {error}")))?;
    let other = named.as_ref().map(|name| name.name.as_str());
    let all = tables(client, &config.schema, other).await?;
    let candidates = match (&named, from) {
        (Some(name), Some(tool)) => {
            let is_it = |schema: &str, table: &str| {
                table == name.name.as_str() && name.schema.as_ref().is_none_or(|of| of.as_str() == schema)
            };
            let there: Vec<_> = all.iter().filter(|table| is_it(&table.schema, &table.name)).collect();
            if let Some(table) = there.iter().find(|table| !fits(tool, table)) {
                return Err(usage(format!(
                    "{}.{} is no table of {}, which has the columns {}",
                    table.schema,
                    table.name,
                    tool.title(),
                    tool.columns().join(", ")
                )));
            }
            there
                .iter()
                .map(|table| Found { tool, schema: table.schema.clone(), name: table.name.clone() })
                .collect()
        }
        (_, Some(tool)) => found(&all).into_iter().filter(|found| found.tool == tool).collect(),
        _ => found(&all),
    };
    match candidates.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(usage(
            nearly(&all).filter(|_| from.is_none()).unwrap_or_else(|| nothing(from, named.as_ref())),
        )),
        several => Err(usage(choose(several))),
    }
}

fn nothing(from: Option<Tool>, named: Option<&QName>) -> String {
    match (from, named) {
        (Some(tool), Some(name)) => {
            format!("there is no table {} to import from {}", name.plain(), tool.title())
        }
        (Some(tool), None) => format!(
            "{} has no table here that is called {}: where it has another name, --from {} --table NAME",
            tool.title(),
            tool.table(),
            tool.name()
        ),
        _ => format!(
            "no table of a tool that phase can import from is in this database ({}); where its table has another name, \
             --from TOOL --table NAME",
            Tool::ALL.map(Tool::name).join(", ")
        ),
    }
}

fn choose(several: &[Found]) -> String {
    let each = |found: &Found| format!("{} ({}.{})", found.tool.title(), found.schema, found.name);
    let names: Vec<String> = several.iter().map(each).collect();
    let one_tool = several.iter().all(|found| found.tool == several[0].tool);
    let first = &several[0];
    let again = if one_tool {
        format!("phase import --from {} --table {}.{}", first.tool.name(), first.schema, first.name)
    } else {
        format!("phase import --from {}", first.tool.name())
    };
    format!("several histories are in this database: {}. Say which, for example {again}", names.join(", "))
}
