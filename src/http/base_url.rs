use url::{Host, Url};

/// Checks that a token may be sent to `url`: HTTPS on one of `domains` or their subdomains, or, with
/// `allow_http_loopback`, HTTP or HTTPS on this machine. The error completes the sentence "the URL …".
pub(crate) fn check_base_url<'a>(
    url: &Url,
    domains: impl Iterator<Item = &'a str> + Clone,
    allow_http_loopback: bool,
) -> Result<(), String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or fragment".to_owned());
    }
    if is_loopback(url) && allow_http_loopback && matches!(url.scheme(), "http" | "https") {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err("must start with https://".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    let is_allowed = domains.clone().any(|domain| {
        host == domain
            || host
                .strip_suffix(domain)
                .is_some_and(|parent| parent.ends_with('.'))
    });
    if is_allowed {
        Ok(())
    } else {
        Err(format!("must be on {}", domains.collect::<Vec<_>>().join(", ")))
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether an ID is one path segment without escaping, so that it cannot lead to another path.
pub(crate) fn is_path_segment(id: &str) -> bool {
    !id.is_empty()
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_path_segment() {
        assert!(is_path_segment("00u1a2B3c4D5e6F7g8h9"));
        for id in ["", "..", "a/b", "deactivate/a", "a?b", "a%2Fb", "jane@acme.com"] {
            assert!(!is_path_segment(id), "{id}");
        }
    }

    #[test]
    fn a_token_is_sent_to_allowed_hosts_only() {
        for (url, loopback, allowed) in [
            ("https://acme.okta.com", false, true),
            ("https://acme.okta.com:8443", false, true),
            ("https://okta.com", false, true),
            ("https://login.acme.example", false, true),
            ("https://acme.example.evil.test", false, false),
            ("https://evilokta.com", false, false),
            ("https://okta.com.evil.test", false, false),
            ("https://acme.okta.com.", false, false),
            ("https://acme.okta.com@evil.test", false, false),
            ("https://user@acme.okta.com", false, false),
            ("https://user:password@acme.okta.com", false, false),
            ("https://acme.okta.com/?a=b", false, false),
            ("https://acme.okta.com/#a", false, false),
            ("http://acme.okta.com", true, false),
            ("ftp://127.0.0.1", true, false),
            ("http://127.0.0.1:8080", false, false),
            ("http://127.0.0.1:8080", true, true),
            ("http://[::1]:8080", true, true),
            ("http://localhost:8080", true, true),
            ("http://169.254.169.254", true, false),
            ("https://10.0.0.1", false, false),
            ("data:text/plain,okta.com", true, false),
        ] {
            let domains = ["okta.com", "acme.example"].into_iter();
            let checked = check_base_url(&Url::parse(url).unwrap(), domains, loopback);
            assert_eq!(checked.is_ok(), allowed, "{url} {checked:?}");
        }
    }
}
