//! Lists that come in pages.

use serde_json::{Value, json};

use super::http::Response;
use super::routes::Context;

/// What a page has unless the client says more, and the most that it can say.
const USUAL: usize = 30;
const MOST: usize = 100;

/// The page that is asked for, with links to its neighbours; as an object below `name` with the count of all, if it has one.
pub fn page(context: &Context<'_>, all: &[Value], name: Option<&str>) -> Response {
    let parameter = |name: &str| context.request.parameter(name).and_then(|value| value.parse::<usize>().ok());
    let size = parameter("per_page").unwrap_or(USUAL).clamp(1, MOST);
    let page = parameter("page").unwrap_or(1).max(1);
    let items: Vec<&Value> = all.iter().skip((page - 1) * size).take(size).collect();
    let body = match name {
        None => json!(items),
        Some(name) => json!({ "total_count": all.len(), name: items }),
    };
    let response = Response::json(200, &body);
    let links = links(context, page, all.len().div_ceil(size).max(1));
    if links.is_empty() { response } else { response.with("link", links.join(", ")) }
}

/// `<ADDRESS>; rel="next"` and so on, in GitHub's order.
fn links(context: &Context<'_>, page: usize, last: usize) -> Vec<String> {
    let back = (page > 1).then_some([("prev", (page - 1).min(last)), ("first", 1)]);
    let forth = (page < last).then_some([("next", page + 1), ("last", last)]);
    let link = |(relation, page): (&str, usize)| format!("<{}>; rel=\"{relation}\"", address(context, page));
    back.into_iter().chain(forth).flatten().map(link).collect()
}

/// The request's address with another page.
fn address(context: &Context<'_>, page: usize) -> String {
    let request = context.request;
    let kept = request.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("page="));
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("page={page}")]).collect();
    format!("{}{}?{}", context.place.root, request.path, query.join("&"))
}
