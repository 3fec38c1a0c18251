//! Which page comes next: RFC 8288 `Link` headers as Okta sends them.
//!
//! A header that is not understood is an error and never the end of a list, for a list cut
//! short would look like people who are gone.

use reqwest::header::{HeaderMap, LINK};
use url::Url;

use super::OktaError;
use crate::http::Call;

/// The address of the page after `page`, None after the last one. A `full` page must carry at
/// least the link to itself: without any, something on the way has taken the links off.
pub(super) fn next(
    headers: &HeaderMap,
    page: &Url,
    full: bool,
    call: &Call,
) -> Result<Option<Url>, OktaError> {
    let broken = |what: &str| OktaError::broken(call, what);
    let mut links = 0;
    let mut next: Option<Url> = None;
    for header in headers.get_all(LINK) {
        let header = header
            .to_str()
            .map_err(|_| broken("has a Link header that is not text"))?;
        for (target, is_next) in parse(header).ok_or_else(|| broken("has a malformed Link header"))? {
            links += 1;
            if !is_next {
                continue;
            }
            let url = page
                .join(target)
                .map_err(|_| broken("has a next link that is no URL"))?;
            if next.as_ref().is_some_and(|other| *other != url) {
                return Err(broken("has two different next links"));
            }
            next = Some(url);
        }
    }
    if links == 0 && full {
        return Err(broken(
            "is a full page without any Link header: does a proxy remove it?",
        ));
    }
    if let Some(url) = &next {
        let same_place =
            url.origin() == page.origin() && url.username().is_empty() && url.password().is_none();
        if !same_place {
            // The token must not follow.
            return Err(OktaError::CrossOriginPagination {
                call: call.clone(),
                origin: url.origin().ascii_serialization(),
            });
        }
    }
    Ok(next)
}

/// The targets in one header, each with whether its relation is `next`. None if malformed.
fn parse(header: &str) -> Option<Vec<(&str, bool)>> {
    let mut links = Vec::new();
    let mut rest = header.trim();
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (parameters, following) = split_outside_quotes(after, ',');
        links.push((target, has_next_relation(parameters)?));
        rest = following.trim();
    }
    Some(links)
}

fn has_next_relation(parameters: &str) -> Option<bool> {
    let (before, mut rest) = split_outside_quotes(parameters, ';');
    if !before.trim().is_empty() {
        return None;
    }
    // The first `rel` counts, says RFC 8288; a link without one is malformed here.
    while !rest.is_empty() {
        let (parameter, following) = split_outside_quotes(rest, ';');
        rest = following;
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("rel") {
            let relations = value.trim().trim_matches('"');
            return Some(
                relations
                    .split_whitespace()
                    .any(|relation| relation.eq_ignore_ascii_case("next")),
            );
        }
    }
    None
}

/// What stands before and after the first `separator` that is not in double quotes.
fn split_outside_quotes(text: &str, separator: char) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c == separator && !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use reqwest::Method;
    use reqwest::header::HeaderValue;

    use super::*;

    const PAGE: &str = "https://acme.okta.com/api/v1/users?limit=2";

    fn next_of(headers: &[&str], full: bool) -> Result<Option<String>, OktaError> {
        let page = Url::parse(PAGE).unwrap();
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(LINK, HeaderValue::from_str(header).unwrap());
        }
        let call = Call::new(Method::GET, &page);
        Ok(next(&map, &page, full, &call)?.map(String::from))
    }

    #[test]
    fn the_next_page_is_found_in_any_header_and_spelling() {
        let self_link = "<https://acme.okta.com/api/v1/users?limit=2>; rel=\"self\"";
        let next_url = "https://acme.okta.com/api/v1/users?after=a,b;c&limit=2";
        for next_link in [
            format!("<{next_url}>; rel=\"next\""),
            format!("<{next_url}>;rel=next"),
            format!("<{next_url}>; title=\"a, b; c\"; REL=\"prefetch Next\""),
        ] {
            let joined = format!("{self_link}, {next_link}");
            for headers in [
                vec![self_link, &next_link],
                vec![&next_link, self_link],
                vec![&joined],
            ] {
                assert_eq!(
                    next_of(&headers, true).unwrap().as_deref(),
                    Some(next_url),
                    "{headers:?}"
                );
            }
        }
        assert_eq!(
            next_of(&["</api/v1/users?after=x>; rel=next"], true)
                .unwrap()
                .as_deref(),
            Some("https://acme.okta.com/api/v1/users?after=x"),
        );
        assert_eq!(next_of(&[self_link], true).unwrap(), None);
        assert_eq!(next_of(&[], false).unwrap(), None);
    }

    #[test]
    fn what_is_not_understood_is_no_end_of_the_list() {
        for headers in [
            &["https://acme.okta.com/?after=x; rel=next"][..],
            &["<https://acme.okta.com/?after=x; rel=next"],
            &["<https://acme.okta.com/?after=x>"],
            &["<https://acme.okta.com/?after=x> rel=next"],
            &["<https://acme.okta.com:port/>; rel=next"],
            &[
                "<https://acme.okta.com/?after=x>; rel=next",
                "<https://acme.okta.com/?after=y>; rel=next",
            ],
        ] {
            let error = next_of(headers, false).unwrap_err();
            assert_eq!(error.reason(), "InvalidResponse", "{headers:?}");
        }
        assert_eq!(next_of(&[], true).unwrap_err().reason(), "InvalidResponse");
    }

    #[test]
    fn the_token_does_not_follow_to_another_place() {
        for link in [
            "<https://evil.test/api/v1/users?after=x>; rel=next",
            "<http://acme.okta.com/api/v1/users?after=x>; rel=next",
            "<https://acme.okta.com:444/api/v1/users?after=x>; rel=next",
            "<https://user@acme.okta.com/api/v1/users?after=x>; rel=next",
            "<//evil.test/api/v1/users>; rel=next",
        ] {
            let error = next_of(&[link], false).unwrap_err();
            assert!(matches!(error, OktaError::CrossOriginPagination { .. }), "{link}");
            assert!(!error.to_string().contains("after="));
        }
    }
}
