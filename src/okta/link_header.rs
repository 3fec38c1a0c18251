//! RFC 8288 `Link` headers, which name the next page.
//!
//! A malformed header is an error and never the end of a list: people who are missing from a list
//! would look like people who were deleted.

use reqwest::header::{HeaderMap, LINK};
use url::Url;

use super::OktaError;
use crate::http::{Call, HttpError};

/// Returns the URL of the page after `page`, or None after the last one. A `full` page must have at
/// least a link to itself; if it has none, a proxy removed the header.
pub(super) fn next(
    headers: &HeaderMap,
    page: &Url,
    full: bool,
    call: &Call,
) -> Result<Option<Url>, OktaError> {
    let invalid = |problem: &str| OktaError::from(HttpError::invalid_response(call, problem));
    let mut links = 0;
    let mut next: Option<Url> = None;
    for header in headers.get_all(LINK) {
        let header = header
            .to_str()
            .map_err(|_| invalid("has a Link header that is not text"))?;
        for (target, is_next) in parse(header).ok_or_else(|| invalid("has a malformed Link header"))? {
            links += 1;
            if !is_next {
                continue;
            }
            let url = page
                .join(target)
                .map_err(|_| invalid("has a next link that is not a valid URL"))?;
            if next.as_ref().is_some_and(|other| *other != url) {
                return Err(invalid("has two different next links"));
            }
            next = Some(url);
        }
    }
    if links == 0 && full {
        return Err(invalid(
            "is a full page without a Link header. Check whether a proxy removes it",
        ));
    }
    if let Some(url) = &next {
        let same_origin =
            url.origin() == page.origin() && url.username().is_empty() && url.password().is_none();
        if !same_origin {
            return Err(OktaError::CrossOriginPagination {
                call: call.clone(),
                origin: url.origin().ascii_serialization(),
            });
        }
    }
    Ok(next)
}

/// Returns the targets in a header and whether their relation is `next`, or None if it is malformed.
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
    // RFC 8288: the first `rel` counts. A link without one is treated as malformed.
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

/// Splits at the first `separator` outside double quotes.
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
    use crate::http::Service;

    const PAGE: &str = "https://acme.okta.com/api/v1/users?limit=2";

    fn next_of(headers: &[&str], full: bool) -> Result<Option<String>, OktaError> {
        let page = Url::parse(PAGE).unwrap();
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(LINK, HeaderValue::from_str(header).unwrap());
        }
        let call = Call::new(Service::Okta, Method::GET, &page);
        Ok(next(&map, &page, full, &call)?.map(String::from))
    }

    #[test]
    fn the_next_link_is_found_in_any_header_and_spelling() {
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
    fn a_malformed_header_is_not_the_end_of_the_list() {
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
    fn the_token_is_not_sent_to_another_origin() {
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
