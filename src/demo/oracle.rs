//! The oracle: knows what each client wrote and was told is stored, and finds
//! what is not there.

use std::collections::BTreeMap;

use tokio_postgres::Client;

/// What one client was told is stored. Clients own the rows that they write, so
/// the last acknowledged write of a row is what must be in it.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    /// User and name.
    pub(crate) names: BTreeMap<i64, String>,
    /// Order and currency.
    pub(crate) currencies: BTreeMap<i64, String>,
    /// Users that were inserted.
    pub(crate) new_users: u64,
}

/// What the oracle found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Writes that it looked for.
    pub(crate) checked: u64,
    /// Writes that were not there.
    pub(crate) lost: u64,
}

impl Acknowledged {
    /// Adds what another client wrote.
    pub(crate) fn extend(&mut self, other: Self) {
        self.names.extend(other.names);
        self.currencies.extend(other.currencies);
        self.new_users += other.new_users;
    }

    /// Looks every write up, under the names of the new shape.
    pub(crate) async fn verdict(
        &self,
        client: &Client,
        filled: u64,
    ) -> Result<Verdict, tokio_postgres::Error> {
        let mut verdict = Verdict::default();
        let rows = client.query("SELECT id, display_name FROM users", &[]).await?;
        let names: BTreeMap<i64, Option<String>> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        for (id, name) in &self.names {
            verdict.check(names.get(id).and_then(Option::as_ref) == Some(name));
        }
        // What nobody touched has the value that it was filled with.
        let untouched = names.iter().filter(|(id, _)| !self.names.contains_key(id));
        for (id, name) in untouched {
            verdict.check(name.as_deref() == Some(format!("user {id}").as_str()));
        }
        verdict.check(u64::try_from(names.len()).ok() == Some(filled + self.new_users));
        let rows = client.query("SELECT id, currency FROM orders", &[]).await?;
        let currencies: BTreeMap<i64, Option<String>> =
            rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        for (id, currency) in &self.currencies {
            verdict.check(currencies.get(id).and_then(Option::as_ref) == Some(currency));
        }
        verdict.lost +=
            u64::try_from(currencies.values().filter(|currency| currency.is_none()).count()).unwrap_or(0);
        Ok(verdict)
    }
}

impl Verdict {
    fn check(&mut self, there: bool) {
        self.checked += 1;
        self.lost += u64::from(!there);
    }
}
