#![allow(clippy::unwrap_used)]
use super::*;
use crate::core::testing;

fn item(text: &str) -> Item {
    testing::item("20261110090000_x", text)
}

const RENAME: &str = include_str!("../../../../plans/20261110090000_users_display_name.yaml");
const CURRENCY: &str = include_str!("../../../../plans/20261111090000_orders_currency.yaml");

fn legs(item: &Item, undo: UndoFrom, to_the_end: bool) -> String {
    let leg = |leg: &Leg| match leg {
        Leg::Forward(state) => state.to_string(),
        Leg::Back => "back".into(),
    };
    route(item, undo, to_the_end).legs.iter().map(leg).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_way_goes_back_from_every_state_and_then_to_the_end() {
    let rename = item(RENAME);
    assert_eq!(
        legs(&rename, UndoFrom::Every, true),
        "expanded back backfilled back validated back contracted back completed"
    );
    assert_eq!(legs(&rename, UndoFrom::Last, true), "contracted back completed");
    assert_eq!(legs(&rename, UndoFrom::Last, false), "contracted back contracted back");
    // Without keep, contract is no place to rest.
    assert_eq!(
        legs(&item(CURRENCY), UndoFrom::Every, true),
        "expanded back backfilled back validated back completed"
    );
}

#[test]
fn what_cannot_be_taken_back_is_said_and_spared() {
    let one = item(
        "expand:\n  - {sql: CREATE TABLE a (), undo: DROP TABLE a}\nvalidate:\n  - {sql: SELECT 1, undo: \"irreversible: why not\"}\nkeep: 1d\ncontract:\n  - drop_table: {table: b}\n",
    );
    let way = route(&one, UndoFrom::Every, false);
    assert_eq!(legs(&one, UndoFrom::Every, false), "expanded back backfilled back");
    let states: Vec<State> = way.one_way.iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Validated, State::Contracted]);
    assert!(way.one_way[0].why.contains("step validate.1 cannot be taken back"), "{:?}", way.one_way);
    let spared: Vec<&str> = spared(&one, &way).iter().map(|step| step.id.as_str()).collect();
    assert_eq!(spared, ["validate.1", "contract.1", "purge.1"]);
}

#[test]
fn gates_and_brakes_are_passed_by_and_told() {
    let text = RENAME.replace(
        "    batch: {rows: 2000}",
        "    batch: {rows: 2000, pause: 1s}\n    window: 22:00-05:00 UTC",
    );
    let rename = item(&text);
    let told: Vec<String> =
        passed(&rename).iter().map(|one| format!("{}: {}", one.phase, one.what.join(", "))).collect();
    assert_eq!(
        told,
        [
            "backfill: window, pause of backfill.1",
            "contract: deployed web@2.0.0, soak 1s, approvals 1",
            "purge: keep 7days"
        ]
    );
    let open = rehearsed(&rename);
    assert_eq!(open.gates, Gates::default());
    assert_eq!(open.checksum, rename.checksum);
    assert!(passed(&open).iter().all(|one| one.phase == Phase::Purge), "{:?}", passed(&open));
}
