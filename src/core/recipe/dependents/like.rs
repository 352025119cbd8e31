//! The like of a materialized view or of extended statistics: it has a name of the plan's own until
//! it takes that of the other, which then has another of the plan's own.

use super::super::draft::Draft;
use super::super::known::{Dependent, ViewIndex};
use super::{MATERIALIZED, STATISTICS};
use crate::core::ident::{Ident, QName, literal};

/// Which name something has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name {
    /// The one that both want.
    Its,
    /// That of the new one until the exchange.
    Own,
    /// That of the old one from then on.
    Hidden,
}

/// One relation's three names.
struct Names {
    its: QName,
    own: Ident,
    hidden: Ident,
}

impl Names {
    fn of(draft: &Draft<'_>, called: &str) -> Option<Self> {
        let its = QName::parse(called).ok()?;
        let own = draft.own_name(&format!("new_{}", its.name.as_str()));
        let hidden = draft.own_name(its.name.as_str());
        Some(Self { its, own, hidden })
    }

    const fn get(&self, name: Name) -> &Ident {
        match name {
            Name::Its => &self.its.name,
            Name::Own => &self.own,
            Name::Hidden => &self.hidden,
        }
    }
}

/// Something of which a like is made before.
pub(super) struct Like<'a> {
    /// What it is.
    pub(super) one: &'a Dependent,
    word: &'static str,
    names: Names,
    indexes: Vec<(&'a ViewIndex, Names)>,
}

impl<'a> Like<'a> {
    /// `None`: it takes no time to make, and needs no like.
    pub(super) fn of(draft: &Draft<'_>, one: &'a Dependent) -> Option<Self> {
        let word = match one.kind.as_str() {
            MATERIALIZED => "MATERIALIZED VIEW",
            STATISTICS => "STATISTICS",
            _ => return None,
        };
        let index = |index: &'a ViewIndex| Some((index, Names::of(draft, &index.called)?));
        let indexes = one.indexes.iter().filter_map(index).collect();
        Some(Self { one, word, names: Names::of(draft, &one.called)?, indexes })
    }

    pub(super) const fn name(&self, name: Name) -> &Ident {
        self.names.get(name)
    }

    pub(super) fn qualified(&self, name: Name) -> QName {
        self.names.its.sibling(self.name(name).clone())
    }

    /// The statements that make it, under the name that both want.
    pub(super) fn make(&self) -> Vec<String> {
        let index = |(index, names): &(&ViewIndex, Names)| {
            let comment = index.comment.as_ref();
            let comment =
                comment.map(|comment| format!("COMMENT ON INDEX {} IS {}", names.its, literal(comment)));
            let clustered = index
                .clustered
                .then(|| format!("ALTER MATERIALIZED VIEW {} CLUSTER ON {}", self.names.its, names.its.name));
            [Some(index.definition.clone()), comment, clustered].into_iter().flatten().collect::<Vec<_>>()
        };
        self.one.make.iter().cloned().chain(self.indexes.iter().flat_map(index)).collect()
    }

    /// Gives it another name, and its indexes; by its own name in whichever schema that is.
    pub(super) fn rename(&self, from: Name, to: Name) -> Vec<String> {
        let index = |(_, names): &(&ViewIndex, Names)| {
            format!("ALTER INDEX {} RENAME TO {}", names.its.sibling(names.get(from).clone()), names.get(to))
        };
        let its = self.rename_to(self.name(from), self.name(to));
        std::iter::once(its).chain(self.indexes.iter().map(index)).collect()
    }

    pub(super) fn rename_to(&self, from: &Ident, to: &Ident) -> String {
        format!("ALTER {} {} RENAME TO {to}", self.word, self.names.its.sibling(from.clone()))
    }

    pub(super) fn drop(&self, name: Name) -> String {
        format!("DROP {} {}", self.word, self.qualified(name))
    }
}
