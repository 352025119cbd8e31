//! Lists what the format has and this version of the program cannot do yet: it
//! is refused, never ignored.

use super::model::{Place, Plan};

impl Plan {
    /// What this plan asks for and this version cannot do, with its place.
    #[must_use]
    pub fn unsupported(&self) -> Vec<(Place, String)> {
        let mut found = Vec::new();
        let mut add = |place, what: &str| {
            found.push((place, format!("{what} is not supported by this version of phase yet")));
        };
        let gates = &self.gates;
        for gate in [&gates.expand, &gates.backfill, &gates.validate, &gates.contract, &gates.purge] {
            if let Some(unused) = &gate.unused {
                add(unused.place, "the gate unused");
            }
        }
        found
    }
}
