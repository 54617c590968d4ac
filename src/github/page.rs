//! Lists that come in pages.

use http::HeaderMap;
use http::header::LINK;

/// How many items a page has: as many as GitHub gives.
pub(super) const FULL: usize = 100;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// At most a hundred.
    pub items: Vec<T>,
    /// Whether there may be a page after this one.
    pub more: bool,
}

/// Whether a page that has so many items is not the last one: by the links of its headers, and where it has none, by its
/// being full.
pub(super) fn more(headers: &HeaderMap, items: usize) -> bool {
    let mut links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).peekable();
    if links.peek().is_none() {
        return items >= FULL;
    }
    links.any(leads_on)
}

/// Reads `<https://...>; rel="next", <https://...>; rel="last"` (RFC 8288, section 3).
fn leads_on(links: &str) -> bool {
    let parameters = links.split(',').flat_map(|link| link.split(';').skip(1));
    parameters.map(str::trim).any(|parameter| matches!(parameter, "rel=\"next\"" | "rel=next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(links: &[&str]) -> HeaderMap {
        links.iter().map(|link| (LINK, link.parse().unwrap())).collect()
    }

    #[test]
    fn the_links_tell_whether_there_is_more() {
        let next = r#"<https://h/x?page=1>; rel="prev", <https://h/x?a=1,2&page=3>; rel="next""#;
        assert!(more(&headers(&[next]), 1) && more(&headers(&["<https://h/>; title=x; rel=next"]), 1));
        assert!(more(&headers(&[r#"<https://h/>; rel="first""#, r#"<https://h/>; rel="next""#]), 1));
        assert!(!more(&headers(&[r#"<https://h/?rel=next>; rel="prev""#]), FULL), "the last page may be full");
    }

    #[test]
    fn without_links_a_full_page_may_not_be_the_last() {
        assert!(more(&headers(&[]), FULL));
        assert!(!more(&headers(&[]), FULL - 1));
    }
}
