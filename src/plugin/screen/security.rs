//! Who may use the screen: the browser that was opened, from the page itself, by a loopback name.
//!
//! Any page that is open in the browser can send requests to this machine. The Host header keeps out pages that give
//! their own name this machine's address, the cookie everybody else on the machine, and the origin, the fetch metadata
//! and the token in each form keep out other pages.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, LOCATION, ORIGIN, REFERRER_POLICY,
            SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use subtle::ConstantTimeEq as _;

use super::Screen;

/// The secrets of one run.
pub struct Access {
    port: u16,
    /// In the address that is opened; good for one use.
    token: Mutex<Option<String>>,
    cookie: String,
    form: String,
}

impl Access {
    /// # Errors
    /// The system has no random numbers.
    pub fn new(port: u16) -> Result<Self, getrandom::Error> {
        Ok(Self {
            port,
            token: Mutex::new(Some(secret()?)),
            cookie: secret()?,
            form: secret()?,
        })
    }

    /// The address to open, until it was opened.
    pub fn address(&self) -> String {
        let token = self.token.lock().clone().unwrap_or_default();
        format!("http://127.0.0.1:{}/?token={token}", self.port)
    }

    /// What each form holds.
    pub fn form_token(&self) -> &str {
        &self.form
    }

    pub fn is_form_token(&self, token: &str) -> bool {
        is_same(token, &self.form)
    }

    fn is_own_host(&self, host: &str) -> bool {
        let port = self.port;
        [
            format!("127.0.0.1:{port}"),
            format!("localhost:{port}"),
            format!("[::1]:{port}"),
        ]
        .iter()
        .any(|own| own == host)
    }

    fn cookie_name(&self) -> String {
        // Cookies do not tell ports apart, and two screens may be open.
        format!("insightful-review-{}", self.port)
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(other, value)| other == name && is_same(value, &self.cookie))
    }

    /// Whether this is the token of the address; it is good for nobody afterwards.
    fn take(&self, token: &str) -> bool {
        let mut own = self.token.lock();
        let fits = own.as_deref().is_some_and(|own| is_same(token, own));
        if fits {
            *own = None;
        }
        fits
    }
}

fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Lets a request through, or refuses it with a sentence.
pub async fn guard(State(screen): State<Arc<Screen>>, request: Request, next: Next) -> Response {
    let mut response = match check(&screen.access, &request) {
        Ok(()) => {
            screen.touch();
            next.run(request).await
        }
        Err(refused) => *refused,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
        (CACHE_CONTROL, "no-store"),
        // With `no-referrer`, a browser sends `Origin: null` with the forms of this page.
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn check(access: &Access, request: &Request<Body>) -> Result<(), Box<Response>> {
    let refuse = |text: &'static str| Err(Box::new((StatusCode::FORBIDDEN, text).into_response()));
    let headers = request.headers();
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let Some(host) = text(HOST).filter(|host| access.is_own_host(host)) else {
        return refuse("This page answers only to localhost, 127.0.0.1 and [::1].\n");
    };
    if !access.has_cookie(headers) {
        let token = request
            .uri()
            .query()
            .and_then(|query| query.strip_prefix("token="));
        let is_first = request.method() == Method::GET && request.uri().path() == "/";
        return match token.filter(|token| is_first && access.take(token)) {
            Some(_) => Err(Box::new(admit(access))),
            None => refuse(
                "Open the address that `kubectl insightful review` printed. It works once: run the command again for another.\n",
            ),
        };
    }
    if request.method() == Method::GET || request.method() == Method::HEAD {
        return Ok(());
    }
    let is_from_here = text(ORIGIN) == Some(format!("http://{host}").as_str())
        && headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "same-origin");
    match is_from_here {
        true => Ok(()),
        false => refuse("This request does not come from the page itself.\n"),
    }
}

/// Sets the cookie, and redirects to an address without the token.
fn admit(access: &Access) -> Response {
    let cookie = format!(
        "{}={}; HttpOnly; SameSite=Strict; Path=/",
        access.cookie_name(),
        access.cookie
    );
    (
        StatusCode::SEE_OTHER,
        [(LOCATION, "/".to_owned()), (SET_COOKIE, cookie)],
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    fn status(access: &Access, method: &str, uri: &str, headers: &[(&str, &str)]) -> u16 {
        check(access, &request(method, uri, headers))
            .map_or_else(|refused| refused.status().as_u16(), |()| 200)
    }

    #[test]
    fn only_the_opened_browser_gets_in_and_only_once() {
        let access = Access::new(4321).unwrap();
        let address = access.address();
        let (_, path) = address.split_once("127.0.0.1:4321").unwrap();
        let host = ("host", "127.0.0.1:4321");
        assert_eq!(status(&access, "GET", "/", &[host]), 403);
        assert_eq!(status(&access, "GET", "/?token=x", &[host]), 403);
        assert_eq!(status(&access, "POST", path, &[host]), 403);
        assert_eq!(
            status(&access, "GET", path, &[("host", "evil.example:4321")]),
            403
        );
        assert_eq!(status(&access, "GET", path, &[host]), 303);
        assert_eq!(status(&access, "GET", path, &[host]), 403, "it was used");
        let cookie = format!("a=b; insightful-review-4321={}", access.cookie);
        assert_eq!(status(&access, "GET", "/", &[host, ("cookie", &cookie)]), 200);
        assert_eq!(
            status(
                &access,
                "GET",
                "/",
                &[host, ("cookie", "insightful-review-4321=")]
            ),
            403
        );
    }

    #[test]
    fn only_the_page_itself_may_write() {
        let access = Access::new(4321).unwrap();
        let cookie = format!("insightful-review-4321={}", access.cookie);
        for (host, origin, site, expected) in [
            (
                "127.0.0.1:4321",
                Some("http://127.0.0.1:4321"),
                Some("same-origin"),
                200,
            ),
            (
                "localhost:4321",
                Some("http://localhost:4321"),
                Some("same-origin"),
                200,
            ),
            ("[::1]:4321", Some("http://[::1]:4321"), Some("same-origin"), 200),
            (
                "127.0.0.1:4321",
                Some("http://localhost:4321"),
                Some("same-origin"),
                403,
            ),
            (
                "127.0.0.1:4321",
                Some("https://evil.example"),
                Some("cross-site"),
                403,
            ),
            ("127.0.0.1:4321", Some("null"), Some("same-origin"), 403),
            ("127.0.0.1:4321", None, Some("same-origin"), 403),
            (
                "127.0.0.1:4321",
                Some("http://127.0.0.1:4321"),
                Some("same-site"),
                403,
            ),
            ("127.0.0.1:4321", Some("http://127.0.0.1:4321"), None, 403),
            (
                "127.0.0.1:80",
                Some("http://127.0.0.1:80"),
                Some("same-origin"),
                403,
            ),
            (
                "evil.example",
                Some("http://evil.example"),
                Some("same-origin"),
                403,
            ),
        ] {
            let mut headers = vec![("host", host), ("cookie", cookie.as_str())];
            headers.extend(origin.map(|origin| ("origin", origin)));
            headers.extend(site.map(|site| ("sec-fetch-site", site)));
            assert_eq!(
                status(&access, "POST", "/save", &headers),
                expected,
                "{headers:?}"
            );
        }
    }
}
