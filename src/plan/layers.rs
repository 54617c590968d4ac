//! One TOML document laid over another, spans kept.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Lays `upper` over `lower`: tables are merged key by key, everything else (arrays too) is replaced.
pub(super) fn lay_over<'a>(lower: &mut DeTable<'a>, upper: DeTable<'a>) {
    for (key, value) in upper {
        let span = value.span();
        // Taken out, not replaced in place: the map would keep the lower key, and with it the span of the other text.
        let below = lower.remove(&key).map(Spanned::into_inner);
        let merged = match (below, value.into_inner()) {
            (Some(DeValue::Table(mut below)), DeValue::Table(above)) => {
                lay_over(&mut below, above);
                DeValue::Table(below)
            }
            (_, above) => above,
        };
        lower.insert(key, Spanned::new(span, merged));
    }
}
