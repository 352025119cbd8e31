#![allow(clippy::unwrap_used)]
use super::batch::{Form, Locking, Take};
use super::check::Look;
use super::*;

pub(super) fn leaf() -> Leaf {
    let column = |name: &str, type_name: &str| TypedColumn {
        name: Ident::parse(name).unwrap(),
        type_name: type_name.into(),
    };
    Leaf {
        table: QName::parse("public.users").unwrap(),
        oid: 1,
        filenode: 1,
        key: vec![column("id", "bigint")],
        targets: vec![column("display_name", "text")],
        backs: vec![column("name", "text")],
        arbiter: vec![column("id", "bigint")],
        estimate: 1_000,
        pages: 10,
    }
}

fn rename(back: &[(&str, &str)]) -> Backfill {
    let name = |name: &str| Ident::parse(name).unwrap();
    Backfill {
        table: QName::parse("users").unwrap(),
        work: BackfillWork::Set(vec![(name("display_name"), "name".into())]),
        filter: None,
        key: None,
        syncs: vec![InStep {
            columns: vec![name("display_name")],
            back: back.iter().map(|(column, expr)| (name(column), (*expr).to_owned())).collect(),
        }],
        tuning: Tuning::default(),
    }
}

const STRIPE: Form = Form {
    walk: Walk::Pages,
    take: Take::Stripe,
    locking: Locking::Skip,
    after: true,
    stripes: Stripes { by: StripeBy::Remainder, count: 10 },
    first: false,
    last: true,
    quarantine: false,
};

#[test]
fn a_batch_reads_well() {
    let metadata = Ident::parse("phase").unwrap();
    insta::assert_snapshot!(rename(&[("name", "display_name")]).batch_sql(&leaf(), STRIPE, &metadata));
    let form = Form { walk: Walk::Key, locking: Locking::Try, first: true, quarantine: true, ..STRIPE };
    insta::assert_snapshot!(rename(&[]).batch_sql(&leaf(), form, &metadata));
    let look = Look { walk: Walk::Key, after: true, quarantine: false, settled: false, repair: false };
    insta::assert_snapshot!(rename(&[("name", "display_name")]).check_sql(&leaf(), look, &metadata));
}

#[test]
fn the_walk_follows_from_the_table() {
    let set = rename(&[]);
    assert_eq!(set.walk(&leaf(), 150_000), Walk::Pages);
    assert_eq!(set.walk(&leaf(), 130_000), Walk::Key);
    assert_eq!(set.walk(&Leaf { key: Vec::new(), ..leaf() }, 130_000), Walk::Pages);
    let named = Backfill { key: Some(vec![Ident::parse("id").unwrap()]), ..set.clone() };
    assert_eq!(named.walk(&leaf(), 150_000), Walk::Key);
    assert_eq!(set.proof_walk(&leaf()), Walk::Key);
    assert_eq!(set.proof_walk(&Leaf { key: Vec::new(), ..leaf() }), Walk::Pages);
}
